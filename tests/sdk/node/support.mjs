// What every check needs: the SDK's client, one line per check, and the promises that hold for every resource.

import assert from 'node:assert/strict';
import {randomUUID} from 'node:crypto';
import {createRequire} from 'node:module';
import path from 'node:path';

const folder = process.env.CUTOVER_SDK_NODE ?? import.meta.dirname;
const Stripe = createRequire(path.join(path.resolve(folder), 'package.json'))('stripe');

export const RUN = randomUUID().slice(0, 8);
export const EMAIL = `node-${RUN}@example.com`;
export const PAGE = 3;
const base = new URL(process.env.STRIPE_BASE);
export const connect = (key) =>
  new Stripe(key, {
    host: base.hostname,
    port: base.port,
    protocol: base.protocol.replace(':', ''),
    maxNetworkRetries: 0,
  });
export const stripe = connect(process.env.STRIPE_KEY);
export const {StripeInvalidRequestError, StripeIdempotencyError, StripeAuthenticationError} = Stripe.errors;
export const failed = [];

export async function check(name, body) {
  try {
    await body();
    console.log(`ok ${name}`);
  } catch (problem) {
    failed.push(name);
    console.log(`FAIL ${name}: ${problem?.name}: ${String(problem?.message).split('\n')[0]}`);
  }
}

export const same = (got, want, what = 'value') =>
  assert.deepEqual(got, want, `${what} is ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`);

/** The object as it came, without what the SDK hangs on it. */
export const plain = (object) => JSON.parse(JSON.stringify(object));

/** `call` must be refused with exactly this class, and say what is wrong in fields a program can read. */
export async function refused(call, kind, statusCode, code, param) {
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

/** `create` twice with one key is one object; `other`, with that key and other content, is refused. */
export async function replayed(name, create, other) {
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

export const idsOf = async (list) => {
  const ids = [];
  for await (const item of list) ids.push(item.id);
  return ids;
};

/** The SDK's auto-paging must meet every id once, newest first, over more than one page, in both directions. */
export async function pages(name, list, expected) {
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

export const customer = (more) => stripe.customers.create({email: EMAIL, ...more});

export async function several(count, make) {
  const made = [];
  for (let i = 0; i < count; i++) made.push(await make(i));
  return made;
}

/** The methods of `object`, usable on their own. */
export function bound(object) {
  return new Proxy(object, {get: (target, name) => target[name].bind(target)});
}
