// Drives a Stripe-compatible server with Stripe's own Node SDK, unmodified.
//
//     STRIPE_BASE=http://127.0.0.1:12111 STRIPE_KEY=sk_test_… CUTOVER_SDK_NODE=folder node conformance.mjs
//
// CUTOVER_SDK_NODE is the folder that holds node_modules; without it, this one. For every resource: create, retrieve,
// update, list over more than one page, an error of the right class, and a replay with the same idempotency key. One
// line a check, `ok …` or `FAIL …`; the exit status is 1 if any failed. Everything is done on customers made here, so
// the server may hold others, and the script may run twice against the same server.

import {priceChecks, productChecks, readOnlyChecks, taxChecks} from './catalogue.mjs';
import {balanceTransactionChecks, cashBalanceChecks, creditGrantChecks} from './money.mjs';
import {accountChecks, customerChecks, eventChecks, paymentMethodChecks} from './objects.mjs';
import {methodWritingChecks, taxIdChecks} from './objects.mjs';
import {couponChecks, promotionCodeChecks} from './pools.mjs';
import {check, failed} from './support.mjs';

// Events last: they tell of everything before.
const parts = {
  account: accountChecks,
  customers: customerChecks,
  'balance transactions': balanceTransactionChecks,
  'cash balance': cashBalanceChecks,
  'credit grants': creditGrantChecks,
  'payment methods': paymentMethodChecks,
  'writing payment methods': methodWritingChecks,
  'tax ids': taxIdChecks,
  products: productChecks,
  prices: priceChecks,
  tax: taxChecks,
  'read only': readOnlyChecks,
  coupons: couponChecks,
  'promotion codes': promotionCodeChecks,
  events: eventChecks,
};
for (const [name, part] of Object.entries(parts)) await check(`${name} checks ran to their end`, part);
console.log(failed.length ? `${failed.length} failed` : "all as Stripe's SDK expects");
process.exit(failed.length ? 1 : 0);
