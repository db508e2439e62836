// Drives a Stripe-compatible server with Stripe's own Node SDK, unmodified.
//
//     STRIPE_BASE=http://127.0.0.1:12111 STRIPE_KEY=sk_test_… CUTOVER_SDK_NODE=folder node conformance.mjs
//
// CUTOVER_SDK_NODE is the folder that holds node_modules; without it, this one. For every resource: create, retrieve,
// update, list over more than one page, an error of the right class, and a replay with the same idempotency key. One line
// a check, `ok …` or `FAIL …`; the exit status is 1 if any failed. Everything is done on customers made here, so the
// server may hold others, and the script may run twice against the same server.

import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {createRequire} from 'node:module';
import path from 'node:path';

const folder = process.env.CUTOVER_SDK_NODE ?? import.meta.dirname;
const Stripe = createRequire(path.join(path.resolve(folder), 'package.json'))('stripe');

const RUN = randomUUID().slice(0, 8);
const EMAIL = `node-${RUN}@example.com`;
const PAGE = 3;
const base = new URL(process.env.STRIPE_BASE);
const connect = (key) =>
  new Stripe(key, {
    host: base.hostname,
    port: base.port,
    protocol: base.protocol.replace(':', ''),
    maxNetworkRetries: 0,
  });
const stripe = connect(process.env.STRIPE_KEY);
const {StripeInvalidRequestError, StripeIdempotencyError, StripeAuthenticationError} = Stripe.errors;
const failed = [];

async function check(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (problem) {
    failed.push(name);
    console.log(`FAIL ${name}: ${problem?.name}: ${String(problem?.message).split('\n')[0]}`);
  }
}

const same = (got, want, what = 'value') =>
  assert.deepEqual(got, want, `${what} is ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`);

/** The object as it came, without what the SDK hangs on it. */
const plain = (object) => JSON.parse(JSON.stringify(object));

/** `call` must be refused with exactly this class, and say what is wrong in fields a program can read. */
async function refused(call, kind, statusCode, code, param) {
  let problem;
  try {
    await call();
  } catch (error) {
    problem = error;
  }
  assert.ok(problem, `was accepted; expected ${kind.name}`);
  same(problem.constructor.name, kind.name, 'error class');
  same(problem.statusCode, statusCode, 'status');
  same(problem.code, code, 'code');
  if (param !== undefined) same(problem.param, param, 'param');
  assert.ok(problem.message, 'the error has no message');
  assert.match(problem.requestId ?? '', /^req_/, 'request id');
  return problem;
}

/** `create(options)` twice with one key is one object; `other(options)`, with that key and other content, is refused. */
async function replayed(name, create, other) {
  const options = {idempotencyKey: `${name}-${RUN}`};
  await check(`${name}: the same idempotency key gives the same object`, async () => {
    const [first, second] = [await create(options), await create(options)];
    same(second.id, first.id, 'id');
    same(plain(second), plain(first), 'replayed body');
    same(first.lastResponse.headers['idempotent-replayed'], undefined, 'header of the first answer');
    same(second.lastResponse.headers['idempotent-replayed'], 'true', 'header of the replay');
    same(second.lastResponse.idempotencyKey, options.idempotencyKey, 'key echoed');
  });
  await check(`${name}: the same key with other parameters is an IdempotencyError`, () =>
    refused(() => other(options), StripeIdempotencyError, 400),
  );
}

const idsOf = async (list) => {
  const ids = [];
  for await (const item of list) ids.push(item.id);
  return ids;
};

/** The SDK's auto-paging must meet every id once, newest first, over more than one page, in both directions. */
async function pages(name, list, expected) {
  await check(`${name}: auto-paging meets every object once, newest first`, async () => {
    const page = await list({limit: PAGE});
    same([page.data.length, page.has_more], [PAGE, true], 'first page');
    const got = await idsOf(list({limit: PAGE}));
    same(got.toSorted(), expected.toSorted(), 'ids');
    const times = (await list({limit: 100})).data.map((item) => item.created);
    same(times, times.toSorted((a, b) => b - a), 'order of creation');
  });
  await check(`${name}: paging backwards meets the same objects in reverse`, async () => {
    const forward = await idsOf(list({limit: PAGE}));
    const back = await idsOf(list({limit: PAGE, ending_before: forward.at(-1)}));
    same(back, forward.slice(0, -1).reverse(), 'ids');
  });
  await check(`${name}: both cursors at once are refused`, () =>
    refused(() => list({starting_after: expected[0], ending_before: expected[0]}), StripeInvalidRequestError, 400),
  );
}

const customer = (more) => stripe.customers.create({email: EMAIL, ...more});

async function several(count, make) {
  const made = [];
  for (let i = 0; i < count; i++) made.push(await make(i));
  return made;
}

async function accountChecks() {
  await check('account: retrieve says who we are', async () => {
    const account = await stripe.accounts.retrieveCurrent();
    same(account.object, 'account', 'object');
    assert.match(account.id, /^acct_/);
    same(account.id, process.env.STRIPE_ACCOUNT ?? account.id, 'id');
  });
  await check('account: a wrong key is an AuthenticationError', () =>
    refused(() => connect('sk_test_wrong').accounts.retrieveCurrent(), StripeAuthenticationError, 401),
  );
  await check('a path that does not exist is an InvalidRequestError', () =>
    refused(() => stripe.rawRequest('GET', '/v1/unheard_of'), StripeInvalidRequestError, 404),
  );
}

async function customerChecks() {
  const made = [];
  await check('customers: create answers what was sent', async () => {
    const metadata = {region: 'ap', 'a key': 'a value & more'};
    const one = await customer({
      name: 'Zoë Müller 木',
      description: 'first',
      address: {city: 'Perth', country: 'AU'},
      preferred_locales: ['en', 'de'],
      invoice_settings: {custom_fields: [{name: 'PO', value: '7'}]},
      metadata,
    });
    made.push(one);
    same([one.name, one.email, one.balance, one.livemode], ['Zoë Müller 木', EMAIL, 0, false]);
    same([one.address.city, one.address.country, one.address.line1], ['Perth', 'AU', null], 'address');
    same(one.preferred_locales, ['en', 'de'], 'preferred_locales');
    same(one.invoice_settings.custom_fields, [{name: 'PO', value: '7'}], 'custom fields');
    same(one.metadata, metadata, 'metadata');
    assert.match(one.lastResponse.requestId, /^req_/);
  });
  await check('customers: retrieve answers the same', async () => {
    same(plain(await stripe.customers.retrieve(made[0].id)), plain(made[0]), 'customer');
  });
  await check('customers: update changes what was sent and nothing else', async () => {
    const change = {description: '', address: {line1: '1 Quay St'}, metadata: {region: '', wave: '2'}};
    const one = await stripe.customers.update(made[0].id, change);
    same([one.name, one.description], ['Zoë Müller 木', null]);
    same([one.address.line1, one.address.city], ['1 Quay St', 'Perth'], 'address');
    same(one.metadata, {'a key': 'a value & more', wave: '2'}, 'metadata');
    const cleared = await stripe.customers.update(made[0].id, {metadata: ''});
    same(cleared.metadata, {}, 'metadata after clearing');
  });
  await check('customers: expand shows the per-currency balance, which is hidden otherwise', async () => {
    const shown = await stripe.customers.retrieve(made[0].id, {expand: ['invoice_credit_balance']});
    same(shown.invoice_credit_balance, {}, 'invoice_credit_balance');
    const hidden = await stripe.customers.retrieve(made[0].id);
    assert.ok(!('invoice_credit_balance' in hidden), 'shown though nobody asked');
  });

  made.push(...(await several(2 * PAGE, (i) => customer({name: `${i}`}))));
  const list = (params) => stripe.customers.list({email: EMAIL, ...params});
  await pages('customers', list, made.map((one) => one.id));

  await check('customers: autoPagingToArray', async () => {
    const all = await list({limit: PAGE}).autoPagingToArray({limit: 1000});
    same(all.length, made.length, 'customers');
  });
  await check('customers: one that does not exist is an InvalidRequestError, resource_missing', async () => {
    const missing = () => stripe.customers.retrieve('cus_missing');
    const problem = await refused(missing, StripeInvalidRequestError, 404, 'resource_missing', 'id');
    same(problem.message, "No such customer: 'cus_missing'", 'message');
  });
  await check('customers: an unknown parameter is named', () => {
    const wrong = () => stripe.customers.create({address: {town: 'x'}});
    return refused(wrong, StripeInvalidRequestError, 400, 'parameter_unknown', 'address[town]');
  });
  await check('customers: an unknown cursor is refused', () => {
    const wrong = () => stripe.customers.list({starting_after: 'cus_missing'});
    return refused(wrong, StripeInvalidRequestError, 400, 'resource_missing', 'starting_after');
  });
  const named = (name) => (options) => stripe.customers.create({name}, options);
  await replayed('customers', named('once'), named('other'));
}

async function balanceTransactionChecks() {
  const owner = (await customer({name: 'ledger'})).id;
  const {createBalanceTransaction, retrieveBalanceTransaction, updateBalanceTransaction, listBalanceTransactions} =
    bound(stripe.customers);
  const post = (amount, currency = 'usd', options = {}) =>
    createBalanceTransaction(owner, {amount, currency}, options);
  const held = () => stripe.customers.retrieve(owner, {expand: ['invoice_credit_balance']});
  const made = [];
  await check('balance transactions: create posts a credit', async () => {
    const entry = {amount: -500, currency: 'usd', description: 'moved', metadata: {cutover_of: 'cus_0'}};
    const one = await createBalanceTransaction(owner, entry);
    made.push(one);
    same([one.amount, one.currency, one.ending_balance, one.type], [-500, 'usd', -500, 'adjustment']);
    same([one.customer, one.metadata.cutover_of], [owner, 'cus_0']);
    const {balance, currency, invoice_credit_balance} = await held();
    same({balance, currency, invoice_credit_balance}, {balance: -500, currency: 'usd', invoice_credit_balance: {usd: 500}});
  });
  await check("balance transactions: another currency leaves the customer's own balance alone", async () => {
    made.push(await post(-700, 'jpy'));
    same(made[1].ending_balance, -700, 'ending_balance');
    const {balance, invoice_credit_balance} = await held();
    same({balance, invoice_credit_balance}, {balance: -500, invoice_credit_balance: {jpy: 700, usd: 500}});
  });
  await check('balance transactions: retrieve and update', async () => {
    same(plain(await retrieveBalanceTransaction(owner, made[0].id)), plain(made[0]), 'transaction');
    const change = {description: 'seen', metadata: {more: '1'}};
    const changed = await updateBalanceTransaction(owner, made[0].id, change);
    same([changed.amount, changed.description, changed.metadata.more], [-500, 'seen', '1']);
  });

  made.push(...(await several(2 * PAGE, () => post(1))));
  await pages('balance transactions', (params) => listBalanceTransactions(owner, params), made.map((one) => one.id));

  await check('balance transactions: a missing currency is named', () => {
    const wrong = () => createBalanceTransaction(owner, {amount: -5});
    return refused(wrong, StripeInvalidRequestError, 400, 'parameter_missing', 'currency');
  });
  await check('balance transactions: an amount that is no integer is named', () =>
    refused(() => post(5.5), StripeInvalidRequestError, 400, 'parameter_invalid_integer', 'amount'),
  );
  await check('balance transactions: one that does not exist is resource_missing', () => {
    const wrong = () => retrieveBalanceTransaction(owner, 'cbtxn_missing');
    return refused(wrong, StripeInvalidRequestError, 404, 'resource_missing');
  });
  const before = (await held()).balance;
  const of = (amount) => (options) => post(amount, 'usd', options);
  await replayed('balance transactions', of(-100), of(-101));
  await check('balance transactions: a replay posts no second time', async () => {
    same((await held()).balance, before - 100, 'balance');
  });
}

async function cashBalanceChecks() {
  const owner = (await customer({name: 'cash'})).id;
  const {retrieveCashBalance, updateCashBalance, listCashBalanceTransactions, retrieveCashBalanceTransaction} =
    bound(stripe.customers);
  const fund = (amount, currency = 'usd', options = {}) =>
    stripe.testHelpers.customers.fundCashBalance(owner, {amount, currency}, options);
  const made = [];
  await check('cash balance: retrieve before any funds', async () => {
    const {object, available, customer} = await retrieveCashBalance(owner);
    same([object, available, customer], ['cash_balance', null, owner]);
  });
  await check('test helper: fundCashBalance adds funds per currency', async () => {
    made.push(await fund(5000), await fund(70, 'jpy'));
    const [{object, type, net_amount, currency, ending_balance, customer}] = made;
    same([object, type], ['customer_cash_balance_transaction', 'funded']);
    same([net_amount, currency, ending_balance, customer], [5000, 'usd', 5000, owner]);
    same((await retrieveCashBalance(owner)).available, {jpy: 70, usd: 5000}, 'available');
  });
  await check('cash balance: update changes the reconciliation mode alone', async () => {
    const changed = await updateCashBalance(owner, {settings: {reconciliation_mode: 'manual'}});
    same(plain(changed.settings), {reconciliation_mode: 'manual', using_merchant_default: false}, 'settings');
    same(changed.available, {jpy: 70, usd: 5000}, 'available');
  });
  await check('cash balance: a mode that does not exist is named', () => {
    const wrong = () => updateCashBalance(owner, {settings: {reconciliation_mode: 'sometimes'}});
    return refused(wrong, StripeInvalidRequestError, 400, undefined, 'settings[reconciliation_mode]');
  });

  made.push(...(await several(2 * PAGE, () => fund(1))));
  const list = (params) => listCashBalanceTransactions(owner, params);
  await pages('cash balance transactions', list, made.map((one) => one.id));

  await check('cash balance transactions: retrieve', async () => {
    same(plain(await retrieveCashBalanceTransaction(owner, made[0].id)), plain(made[0]), 'transaction');
    const wrong = () => retrieveCashBalanceTransaction(owner, 'ccsbtxn_missing');
    await refused(wrong, StripeInvalidRequestError, 404, 'resource_missing');
  });
  const of = (amount) => (options) => fund(amount, 'eur', options);
  await replayed('fundCashBalance', of(9), of(10));
  await check('test helper: a replay funds no second time', async () => {
    same((await retrieveCashBalance(owner)).available.eur, 9, 'available');
  });
}

async function creditGrantChecks() {
  const owner = (await customer({name: 'grants'})).id;
  const grants = stripe.billing.creditGrants;
  const grant = (value, more) => ({
    customer: owner,
    category: 'promotional',
    amount: {type: 'monetary', monetary: {value, currency: 'usd'}},
    applicability_config: {scope: {price_type: 'metered'}},
    ...more,
  });
  const made = [];
  await check('credit grants: create', async () => {
    const one = await grants.create(grant(1000, {name: 'welcome', metadata: {why: 'sorry'}}));
    made.push(one);
    same([one.object, one.customer, one.category], ['billing.credit_grant', owner, 'promotional']);
    same(plain(one.amount), {type: 'monetary', monetary: {value: 1000, currency: 'usd'}}, 'amount');
    same([one.name, one.metadata, one.voided_at], ['welcome', {why: 'sorry'}, null]);
  });
  await check('credit grants: retrieve and update', async () => {
    same(plain(await grants.retrieve(made[0].id)), plain(made[0]), 'grant');
    const changed = await grants.update(made[0].id, {metadata: {more: '1'}});
    same(changed.metadata, {why: 'sorry', more: '1'}, 'metadata');
  });

  made.push(...(await several(2 * PAGE, () => grants.create(grant(1000)))));
  await pages('credit grants', (params) => grants.list({customer: owner, ...params}), made.map((one) => one.id));

  await check('credit grants: the summary adds them up', async () => {
    const filter = {type: 'applicability_scope', applicability_scope: {price_type: 'metered'}};
    const summary = await stripe.billing.creditBalanceSummary.retrieve({customer: owner, filter});
    same(summary.balances[0].available_balance.monetary, {currency: 'usd', value: 1000 * made.length}, 'available');
  });
  await check('credit grants: a missing amount is named', () => {
    const wrong = {customer: owner, applicability_config: {scope: {price_type: 'metered'}}};
    return refused(() => grants.create(wrong), StripeInvalidRequestError, 400, 'parameter_missing', 'amount');
  });
  await check('credit grants: one that does not exist is resource_missing', () =>
    refused(() => grants.retrieve('credgr_missing'), StripeInvalidRequestError, 404, 'resource_missing'),
  );
  const of = (value) => (options) => grants.create(grant(value), options);
  await replayed('credit grants', of(77), of(78));
}

async function paymentMethodChecks() {
  const owner = (await customer({name: 'cards'})).id;
  await check('payment methods: a new customer has none', async () => {
    same((await stripe.customers.listPaymentMethods(owner)).data, [], 'payment methods');
    same((await stripe.paymentMethods.list({customer: owner})).data, [], 'payment methods');
  });
  await check('payment methods: one that does not exist is resource_missing', async () => {
    const wrong = () => stripe.paymentMethods.retrieve('pm_missing');
    await refused(wrong, StripeInvalidRequestError, 404, 'resource_missing');
    const ofOwner = () => stripe.customers.retrievePaymentMethod(owner, 'pm_missing');
    await refused(ofOwner, StripeInvalidRequestError, 404, 'resource_missing');
  });
}

async function eventChecks() {
  const mine = (event) => event.data.object.email === EMAIL;
  const told = [];
  await check('events: what happened above is listed', async () => {
    for await (const event of stripe.events.list({type: 'customer.created', limit: 100})) {
      if (mine(event)) told.push(event.id);
    }
    assert.ok(told.length > PAGE, `${told.length} events about customers made here`);
  });
  await check('events: auto-paging meets every event once, newest first', async () => {
    const got = await stripe.events.list({type: 'customer.created', limit: PAGE}).autoPagingToArray({limit: 9999});
    same(got.filter(mine).map((event) => event.id), told, 'ids');
  });
  await check('events: a wildcard and a list of types', async () => {
    const wild = await stripe.events.list({type: 'customer.*', limit: 100});
    assert.ok(wild.data.length > 0 && wild.data.every((event) => event.type.startsWith('customer.')));
    const types = ['customer.created', 'customer.updated'];
    const both = await stripe.events.list({types, limit: 100});
    same([...new Set(both.data.map((event) => event.type))].toSorted(), types, 'types');
  });
  await check('events: retrieve', async () => {
    same((await stripe.events.retrieve(told[0])).id, told[0], 'id');
    const wrong = () => stripe.events.retrieve('evt_missing');
    await refused(wrong, StripeInvalidRequestError, 404, 'resource_missing');
  });
}

/** The methods of `object`, usable on their own. */
function bound(object) {
  return new Proxy(object, {get: (target, name) => target[name].bind(target)});
}

const parts = {
  account: accountChecks,
  customers: customerChecks,
  'balance transactions': balanceTransactionChecks,
  'cash balance': cashBalanceChecks,
  'credit grants': creditGrantChecks,
  'payment methods': paymentMethodChecks,
  events: eventChecks,
};
for (const [name, part] of Object.entries(parts)) await check(`${name} checks ran to their end`, part);
console.log(failed.length ? `${failed.length} failed` : "all as Stripe's SDK expects");
process.exit(failed.length ? 1 : 0);
