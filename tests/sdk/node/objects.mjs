// Account, customers, payment methods, events.

import assert from 'node:assert/strict';

import {EMAIL, PAGE, StripeAuthenticationError, StripeInvalidRequestError} from './support.mjs';
import {check, connect, customer, pages, plain, refused, replayed, same, several, stripe} from './support.mjs';

export async function accountChecks() {
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

export async function customerChecks() {
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

export async function paymentMethodChecks() {
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
  // Stripe's test cards, by the name it gives them: the only way to a payment method that needs no card number.
  const made = await several(2, () => customer({payment_method: 'pm_card_visa'}));
  await check('payment methods: one given when the customer was made can be read in every way', async () => {
    const {data} = await stripe.customers.listPaymentMethods(made[0].id, {type: 'card'});
    same([data.length, data[0].customer, data[0].type, data[0].card.brand], [1, made[0].id, 'card', 'visa']);
    same(plain(await stripe.paymentMethods.retrieve(data[0].id)), plain(data[0]), 'payment method');
    const ofOwner = await stripe.customers.retrievePaymentMethod(made[0].id, data[0].id);
    same(plain(ofOwner), plain(data[0]), 'payment method of its customer');
    const wrong = () => stripe.customers.retrievePaymentMethod(made[1].id, data[0].id);
    await refused(wrong, StripeInvalidRequestError, 404, 'resource_missing');
  });
  await check('payment methods: the customer is shown when expanded', async () => {
    const {data} = await stripe.paymentMethods.list({customer: made[0].id, expand: ['data.customer']});
    same([data[0].customer.object, data[0].customer.id], ['customer', made[0].id]);
  });
}

export async function methodWritingChecks() {
  const owner = (await customer({name: 'writes'})).id;
  const other = (await customer({name: 'other'})).id;
  const methods = stripe.paymentMethods;
  const wrong = (call) => refused(call, StripeInvalidRequestError, 400);
  let card;
  await check("payment methods: attach makes a test card the customer's", async () => {
    card = await methods.attach('pm_card_visa', {customer: owner});
    same([card.customer, card.card.brand], [owner, 'visa']);
    same(plain(await methods.attach(card.id, {customer: owner})), plain(card), 'attached again');
  });
  await check('payment methods: one of another customer cannot be attached, nor be a default', async () => {
    const settings = {invoice_settings: {default_payment_method: card.id}};
    await wrong(() => methods.attach(card.id, {customer: other}));
    await wrong(() => stripe.customers.update(other, settings));
    same((await stripe.customers.update(owner, settings)).invoice_settings.default_payment_method, card.id);
  });
  await check('payment methods: update changes what was sent', async () => {
    const one = await methods.update(card.id, {metadata: {a: 'b'}, card: {exp_year: 2033}});
    same([one.metadata, one.card.exp_year], [{a: 'b'}, 2033]);
  });
  await check('payment methods: detach is for good and unsets the default', async () => {
    same((await methods.detach(card.id)).customer, null, 'customer');
    same((await stripe.customers.retrieve(owner)).invoice_settings.default_payment_method, null, 'default');
    await wrong(() => methods.detach(card.id));
    await wrong(() => methods.attach(card.id, {customer: owner}));
  });
  await check('sources: a card of the older interface is listed and is the default source', async () => {
    await stripe.customers.update(other, {source: 'tok_visa'});
    const {data} = await stripe.customers.listSources(other, {object: 'card'});
    same([data.length, data[0].brand, data[0].customer], [1, 'Visa', other]);
    same(plain(await stripe.customers.retrieveSource(other, data[0].id)), plain(data[0]), 'card');
    same((await stripe.customers.retrieve(other)).default_source, data[0].id, 'default source');
  });
}

export async function taxIdChecks() {
  const owner = (await customer({name: 'tax', tax_id_data: [{type: 'eu_vat', value: 'DE123456789'}]})).id;
  await check('tax ids: create, retrieve, list, delete', async () => {
    const one = await stripe.customers.createTaxId(owner, {type: 'au_abn', value: '51824753556'});
    same([one.country, one.value, one.customer], ['AU', '51824753556', owner]);
    same(plain(await stripe.customers.retrieveTaxId(owner, one.id)), plain(one), 'tax id');
    const {data} = await stripe.customers.listTaxIds(owner);
    same(data.map((id) => id.type), ['au_abn', 'eu_vat'], 'types');
    same((await stripe.customers.deleteTaxId(owner, one.id)).deleted, true, 'deleted');
    const gone = () => stripe.customers.retrieveTaxId(owner, one.id);
    await refused(gone, StripeInvalidRequestError, 404, 'resource_missing');
  });
  await check('tax ids: a wrong value is tax_id_invalid', () => {
    const wrong = () => stripe.customers.createTaxId(owner, {type: 'eu_vat', value: '?'});
    return refused(wrong, StripeInvalidRequestError, 400, 'tax_id_invalid');
  });
}

export async function eventChecks() {
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
