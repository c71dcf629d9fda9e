import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { EnginePorts } from '#engine/engine-ports.ts';
import type { Digest } from '#model/digest.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import type { Target } from '#oci/target.ts';
import { connectRedis, type RedisConnection } from '#redis/connection.ts';
import { createEvidenceLock } from '#redis/evidence-lock.ts';
import { createKeys } from '#redis/keys.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { createWrittenEvidence } from '#redis/written-evidence.ts';
import { attachedDigests, attestationTagOf, readAttached } from '../../support/attachments.ts';
import { attest, bothWishes, enginePorts, REGISTRY, signerOf, statesOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { type WatchedTarget, watchTarget } from '../../support/watched-target.ts';

const PREFIX = 'fence';
const LEASE_MS = 60_000;
const wishes = bothWishes({ signer: signerOf(makePki()) });

let redis: TestRedis;
let registry: TestRegistry;
let store: RedisConnection;
let client: Target & AsyncDisposable;

before(async () => {
  [redis, registry] = await Promise.all([startRedis(), startRegistry()]);
  store = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
  client = connect(registry.url);
});
after(async () => {
  await store.close();
  await client[Symbol.asyncDispose]();
  await Promise.all([redis.stop(), registry.stop()]);
});

/** The engine of one worker: lock, own pushes and record in Redis. */
function workerPorts(target: Target): EnginePorts {
  const options = { prefix: PREFIX };
  return enginePorts(target, {
    lock: createEvidenceLock(store.client, { ...options, leaseMs: LEASE_MS }),
    ownPushes: createOwnPushes(store.client, options),
    written: createWrittenEvidence(store.client, options),
  });
}

async function image(name: string): Promise<{ repository: string; subject: Digest; location: EvidenceLocation }> {
  const repository = `fence/${name}`;
  const subject = await push(client, repository, '1.0', await smallImage(name));
  return { repository, subject, location: { registry: REGISTRY, repository, digest: subject } };
}

/** What the end of a lease does: the lock is free, and whoever asks next has it. */
async function endLease(location: EvidenceLocation): Promise<void> {
  assert.equal(await store.client.del(createKeys(PREFIX).lock(location)), 1);
}

for (const [when, step, reference] of [
  ['before it uploads', 'pushBlob', /dsse/],
  ['just before its PUT', 'resolve', /\.att$/],
] as const) {
  test(`a writer whose lease another took over ${when} writes no manifest`, async () => {
    const { repository, subject, location } = await image(`taken-${step.toLowerCase()}`);
    const stopped = watchTarget(client);
    const other = watchTarget(client);
    stopped.before(step, reference, async () => {
      await endLease(location);
      await attest(workerPorts(other), repository, '1.0', wishes);
    });
    // It finds the tag changed, looks again, and sees that all is done.
    const report = await attest(workerPorts(stopped), repository, '1.0', wishes);
    assert.deepEqual(statesOf(report), ['cyclonedx present', 'slsaprovenance1 present']);
    assert.deepEqual(stopped.puts, []);
    assert.equal(other.puts.length, 1);
    const before = await attachedDigests(client, repository, subject);
    assert.equal(before.length, 2);
    assert.deepEqual(
      report.evidence.map(({ digest }) => digest),
      before,
    );
  });
}

test('a writer whose lease another took over after its last look at the tag writes no manifest', async () => {
  const { repository, subject, location } = await image('taken-last');
  const stopped = watchTarget(client);
  const other = watchTarget(client);
  const looked = async () => {
    await endLease(location);
    await attest(workerPorts(other), repository, '1.0', wishes);
  };
  // Nothing is attached yet, so that its look at the tag fails: the takeover comes with the answer.
  const resolve: WatchedTarget['resolve'] = async (name, reference, signal) => {
    try {
      return await stopped.resolve(name, reference, signal);
    } catch (error) {
      await looked();
      throw error;
    }
  };
  const ports = workerPorts({ ...stopped, resolve });
  await assert.rejects(attest(ports, repository, '1.0', wishes), { code: 'lock-lost' });
  assert.deepEqual(stopped.puts, []);
  assert.equal(other.puts.length, 1);
  assert.equal((await attachedDigests(client, repository, subject)).length, 2);
});

test('a writer whose lease ran out, and nobody took it, writes no manifest either', async () => {
  const { repository, subject, location } = await image('ran-out');
  const target = watchTarget(client);
  target.before('resolve', /\.att$/, () => endLease(location));
  await assert.rejects(attest(workerPorts(target), repository, '1.0', wishes), { code: 'lock-lost' });
  assert.deepEqual(target.puts, []);
  await assert.rejects(client.resolve(repository, attestationTagOf(subject)), { code: 'not-found' });
});

test('several workers at one image at once: one writes, all find it there', async () => {
  const { repository, subject } = await image('at-once');
  const targets: WatchedTarget[] = [1, 2, 3, 4].map(() => watchTarget(client));
  const reports = await Promise.all(targets.map((target) => attest(workerPorts(target), repository, '1.0', wishes)));
  assert.equal(targets.flatMap(({ puts }) => puts).length, 1);
  const { layers } = await readAttached(client, repository, subject);
  assert.equal(layers.length, 2);
  const expected = layers.map(({ digest }) => digest);
  for (const { evidence } of reports)
    assert.deepEqual(
      evidence.map(({ digest }) => digest),
      expected,
    );
});

test('a run that died after its PUT and before its end is told as made by the next one', async () => {
  const { repository, subject } = await image('died-after-put');
  const target = watchTarget(client);
  target.after('pushManifest', /\.att$/, () => Promise.reject(new Error('killed')));
  await assert.rejects(attest(workerPorts(target), repository, '1.0', wishes), /killed/);
  const digests = await attachedDigests(client, repository, subject);
  const next = watchTarget(client);
  const report = await attest(workerPorts(next), repository, '1.0', wishes);
  assert.deepEqual(statesOf(report), ['cyclonedx created', 'slsaprovenance1 created']);
  assert.deepEqual(next.puts, []);
  assert.deepEqual(await attachedDigests(client, repository, subject), digests);
  const third = await attest(workerPorts(next), repository, '1.0', wishes);
  assert.deepEqual(statesOf(third), ['cyclonedx present', 'slsaprovenance1 present']);
});

test('a run that died between signing and its PUT: the next one lists what was uploaded, unsigned', async () => {
  const { repository, subject } = await image('died-before-put');
  const target = watchTarget(client);
  target.before('pushManifest', /\.att$/, () => Promise.reject(new Error('killed')));
  await assert.rejects(attest(workerPorts(target), repository, '1.0', wishes), /killed/);
  const report = await attest(workerPorts(client), repository, '1.0', wishes, {
    onStep: ({ step }) => assert.notEqual(step, 'signed'),
  });
  assert.deepEqual(statesOf(report), ['cyclonedx created', 'slsaprovenance1 created']);
  assert.equal((await attachedDigests(client, repository, subject)).length, 2);
});

test('what is told to stop while it waits for another writer stops', async () => {
  const { repository, location } = await image('stopped');
  await using _held = await createEvidenceLock(store.client, { prefix: PREFIX, leaseMs: LEASE_MS }).acquire(
    location,
    0,
  );
  const stop = new AbortController();
  const target = watchTarget(client);
  const running = attest(workerPorts(target), repository, '1.0', wishes, {
    signal: stop.signal,
    onStep: ({ step }) => {
      if (step === 'signed') stop.abort(new Error('stopping'));
    },
  });
  await assert.rejects(running, /stopping/);
  assert.deepEqual(target.puts, []);
});
