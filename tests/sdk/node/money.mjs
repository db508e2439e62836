// The three stores of credit: balance transactions, cash balance, credit grants.

import {PAGE, StripeInvalidRequestError, bound, check, customer, pages} from './support.mjs';
import {plain, refused, replayed, same, several, stripe} from './support.mjs';

export async function balanceTransactionChecks() {
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
    same([balance, currency, invoice_credit_balance], [-500, 'usd', {usd: 500}]);
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

export async function cashBalanceChecks() {
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

export async function creditGrantChecks() {
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
    const summary = await stripe.billing.creditBalanceSummaries.retrieve({customer: owner, filter});
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
