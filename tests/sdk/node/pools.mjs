// Coupons and promotion codes.

import assert from 'node:assert/strict';

import {PAGE, RUN, StripeInvalidRequestError} from './support.mjs';
import {check, pages, plain, refused, replayed, same, several, stripe} from './support.mjs';

export async function couponChecks() {
  const {coupons} = stripe;
  const made = [];
  await check('coupons: create answers what was sent, under the id that was chosen', async () => {
    const terms = {percent_off: 12.5, duration: 'repeating', duration_in_months: 3, max_redemptions: 4};
    const one = await coupons.create({id: `node-${RUN}`, name: 'Spring', ...terms, metadata: {a: 'b & c'}});
    made.push(one);
    same([one.id, one.percent_off, one.duration, one.valid], [`node-${RUN}`, 12.5, 'repeating', true]);
    same([one.times_redeemed, one.metadata], [0, {a: 'b & c'}]);
  });
  await check('coupons: retrieve and update; what a coupon applies to shows when expanded', async () => {
    same(plain(await coupons.retrieve(made[0].id)), plain(made[0]), 'coupon');
    same((await coupons.update(made[0].id, {name: 'Autumn'})).name, 'Autumn');
    const product = (await stripe.products.create({name: 'applied'})).id;
    const amounts = {amount_off: 500, currency: 'usd', currency_options: {aud: {amount_off: 700}}};
    const one = await coupons.create({...amounts, applies_to: {products: [product]}});
    assert.ok(!('applies_to' in one || 'currency_options' in one), 'shown though nobody asked');
    const shown = await coupons.retrieve(one.id, {expand: ['applies_to', 'currency_options']});
    same([shown.applies_to.products, shown.currency_options.aud.amount_off], [[product], 700]);
    made.push(one);
  });
  await check('coupons: an id that is taken, and one that does not exist', async () => {
    const taken = () => coupons.create({id: made[0].id, percent_off: 1});
    await refused(taken, StripeInvalidRequestError, 400, 'resource_already_exists', 'id');
    await refused(() => coupons.retrieve('no'), StripeInvalidRequestError, 404, 'resource_missing', 'coupon');
  });
  made.push(...(await several(2 * PAGE, () => coupons.create({percent_off: 5}))));
  await check('coupons: the list walks over all of them; delete', async () => {
    const listed = new Set();
    for await (const {id} of coupons.list({limit: PAGE})) listed.add(id);
    assert.ok(made.every(({id}) => listed.has(id)), 'some are not listed');
    const last = made.at(-1).id;
    same((await coupons.del(last)).deleted, true, 'deleted');
    await refused(() => coupons.retrieve(last), StripeInvalidRequestError, 404, 'resource_missing', 'coupon');
  });
  const off = (percent_off) => (options) => coupons.create({percent_off}, options);
  await replayed('coupons', off(1), off(2));
}

export async function promotionCodeChecks() {
  const {promotionCodes} = stripe;
  const coupon = (await stripe.coupons.create({percent_off: 10, max_redemptions: 9})).id;
  const promotion = {type: 'coupon', coupon};
  const made = [];
  await check('promotion codes: create, retrieve and expand', async () => {
    const one = await promotionCodes.create({promotion, code: `Node-${RUN}`, max_redemptions: 2});
    made.push(one);
    same([one.code, one.active, one.promotion.coupon], [`Node-${RUN}`, true, coupon]);
    const shown = await promotionCodes.retrieve(one.id, {expand: ['promotion.coupon']});
    same(shown.promotion.coupon.percent_off, 10);
  });
  await check('promotion codes: a text has one active holder', async () => {
    const code = `nODE-${RUN}`;
    const problem = await refused(() => promotionCodes.create({promotion, code}), StripeInvalidRequestError, 400);
    same(problem.message, `An active promotion code with \`code: ${code}\` already exists.`, 'message');
    same((await promotionCodes.update(made[0].id, {active: false})).active, false);
    made.push(await promotionCodes.create({promotion, code}));
    const {data} = await promotionCodes.list({code: `NODE-${RUN}`});
    same(data.map(({id}) => id), [made[1].id, made[0].id], 'both');
  });
  made.push(...(await several(2 * PAGE, () => promotionCodes.create({promotion}))));
  const ids = made.map((one) => one.id);
  await pages('promotion codes', (params) => promotionCodes.list({coupon, ...params}), ids);
  await check('promotion codes: a coupon that does not exist is named', () => {
    const wrong = () => promotionCodes.create({promotion: {type: 'coupon', coupon: 'no'}});
    return refused(wrong, StripeInvalidRequestError, 400, 'resource_missing', 'promotion[coupon]');
  });
  const active = (active) => (options) => promotionCodes.create({promotion, active}, options);
  await replayed('promotion codes', active(true), active(false));
}
