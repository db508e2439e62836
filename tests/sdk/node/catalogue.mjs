// Products, prices, tax rates, tax settings; payment links and subscriptions as far as they can be read.

import assert from 'node:assert/strict';

import {PAGE, RUN, StripeInvalidRequestError} from './support.mjs';
import {check, pages, plain, refused, replayed, same, several, stripe} from './support.mjs';

const recurring = {interval: 'month'};

export async function productChecks() {
  const {products} = stripe;
  const made = [];
  await check('products: create answers what was sent, under the id that was chosen', async () => {
    const details = {tax_code: 'txcd_20030000', unit_label: 'lesson', images: ['https://example.com/a.png']};
    const one = await products.create({id: `node-${RUN}`, name: 'Lesson', ...details, metadata: {a: 'b & c'}});
    made.push(one);
    same([one.id, one.name, one.active, one.tax_code], [`node-${RUN}`, 'Lesson', true, 'txcd_20030000']);
    same([one.images, one.metadata], [details.images, {a: 'b & c'}]);
  });
  await check('products: retrieve and update', async () => {
    same(plain(await products.retrieve(made[0].id)), plain(made[0]), 'product');
    const changed = await products.update(made[0].id, {unit_label: '', images: '', description: 'long'});
    same([changed.unit_label, changed.images, changed.description], [null, [], 'long']);
  });
  await check('products: an id that is taken is resource_already_exists', () => {
    const wrong = () => products.create({id: made[0].id, name: 'x'});
    return refused(wrong, StripeInvalidRequestError, 400, 'resource_already_exists', 'id');
  });
  const url = `https://example.com/${RUN}`;
  const listed = await several(2 * PAGE, (i) => products.create({name: `${i}`, url}));
  await pages('products', (params) => products.list({url, ...params}), listed.map((one) => one.id));
  await check('products: delete', async () => {
    same((await products.del(listed[0].id)).deleted, true, 'deleted');
    const gone = () => products.retrieve(listed[0].id);
    await refused(gone, StripeInvalidRequestError, 404, 'resource_missing', 'id');
  });
  const named = (name) => (options) => products.create({name}, options);
  await replayed('products', named('once'), named('other'));
}

export async function priceChecks() {
  const {prices} = stripe;
  const product = (await stripe.products.create({name: 'priced'})).id;
  const create = (more, options) => prices.create({product, currency: 'usd', ...more}, options);
  const made = [];
  await check('prices: a sub-cent amount is in the decimal alone', async () => {
    made.push(await create({unit_amount_decimal: '0.123456789012', recurring}));
    const [{unit_amount, unit_amount_decimal, type, tax_behavior}] = made;
    same([unit_amount, String(unit_amount_decimal)], [null, '0.123456789012']);
    same([type, tax_behavior], ['recurring', 'unspecified']);
  });
  await check('prices: tiers and currency options show when expanded', async () => {
    const tiers = [{up_to: 5, unit_amount: 500}, {up_to: 'inf', flat_amount: 100}];
    const currency_options = {aud: {tiers: [{up_to: 'inf', unit_amount: 700}]}};
    const one = await create({billing_scheme: 'tiered', tiers_mode: 'volume', tiers, currency_options, recurring});
    made.push(one);
    assert.ok(!('tiers' in one || 'currency_options' in one), 'shown though nobody asked');
    const shown = await prices.retrieve(one.id, {expand: ['tiers', 'currency_options.aud.tiers']});
    same(shown.tiers.map(({up_to}) => up_to), [5, null], 'up_to');
    same(shown.currency_options.aud.tiers[0].unit_amount, 700, 'aud');
  });
  await check('prices: update changes what may change and nothing else', async () => {
    const change = {nickname: 'n', active: false, metadata: {a: 'b'}};
    const changed = await prices.update(made[0].id, change);
    same([changed.nickname, changed.active, changed.metadata], ['n', false, {a: 'b'}]);
    const wrong = () => stripe.rawRequest('POST', `/v1/prices/${made[0].id}`, {unit_amount: 1});
    await refused(wrong, StripeInvalidRequestError, 400, 'parameter_unknown', 'unit_amount');
  });
  await check('prices: a lookup key has one holder', async () => {
    const lookup_key = `node-${RUN}`;
    made.push(await create({unit_amount: 1, lookup_key}));
    const problem = await refused(() => create({unit_amount: 2, lookup_key}), StripeInvalidRequestError, 400);
    same(problem.message, `A price (\`${made[2].id}\`) already uses that lookup key.`, 'message');
    const {data} = await prices.list({lookup_keys: [lookup_key]});
    same(data.map(({id}) => id), [made[2].id], 'holder');
  });
  made.push(...(await several(2 * PAGE, (unit_amount) => create({unit_amount}))));
  const active = made.slice(1).map((one) => one.id);
  await pages('prices', (params) => prices.list({product, ...params}), active);
  await check('prices: one that does not exist is resource_missing', () =>
    refused(() => prices.retrieve('price_no'), StripeInvalidRequestError, 404, 'resource_missing', 'price'),
  );
  const of = (unit_amount) => (options) => create({unit_amount}, options);
  await replayed('prices', of(77), of(78));
}

export async function taxChecks() {
  const {taxRates} = stripe;
  const rate = {display_name: 'GST', percentage: 8.875, inclusive: false, country: 'US', state: 'NY'};
  await check('tax rates: create, retrieve, update and list', async () => {
    const one = await taxRates.create(rate);
    same([one.percentage, one.inclusive, one.state], [8.875, false, 'NY']);
    same(plain(await taxRates.retrieve(one.id)), plain(one), 'tax rate');
    const changed = await taxRates.update(one.id, {active: false, description: 'old'});
    same([changed.active, changed.description], [false, 'old']);
    const archived = await taxRates.list({active: false, limit: 100});
    assert.ok(archived.data.some(({id}) => id === one.id), 'the archived one is not listed');
  });
  await check('tax rates: a missing name is named', () => {
    const wrong = () => taxRates.create({percentage: 1, inclusive: true});
    return refused(wrong, StripeInvalidRequestError, 400, 'parameter_missing', 'display_name');
  });
  const of = (percentage) => (options) => taxRates.create({...rate, percentage}, options);
  await replayed('tax rates', of(5), of(6));
  await check('tax settings: retrieve and update; registrations are listed', async () => {
    const changed = await stripe.tax.settings.update({defaults: {tax_code: 'txcd_10000000'}});
    same([changed.object, changed.defaults.tax_code], ['tax.settings', 'txcd_10000000']);
    same(plain(await stripe.tax.settings.retrieve()), plain(changed), 'settings');
    same((await stripe.tax.registrations.list()).object, 'list', 'registrations');
  });
}

export async function readOnlyChecks() {
  await check('subscriptions: list and retrieve, with the price of every item', async () => {
    for await (const one of stripe.subscriptions.list({status: 'all', limit: PAGE})) {
      const again = await stripe.subscriptions.retrieve(one.id, {expand: ['items.data.price.product']});
      same(again.items.data[0].price.product.object, 'product', 'product');
    }
    const wrong = () => stripe.subscriptions.retrieve('sub_no');
    await refused(wrong, StripeInvalidRequestError, 404, 'resource_missing');
  });
  await check('payment links: list and their line items', async () => {
    for (const link of (await stripe.paymentLinks.list()).data) {
      const items = await stripe.paymentLinks.listLineItems(link.id);
      assert.ok(items.data.every((item) => item.price.object === 'price'), 'an item without a price');
    }
    const wrong = () => stripe.paymentLinks.retrieve('plink_no');
    await refused(wrong, StripeInvalidRequestError, 404, 'resource_missing');
  });
}
