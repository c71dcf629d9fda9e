import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EvidenceLocation } from '#model/evidence.ts';
import { readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import { type FaultGround, openFaultGround } from '../support/fault-ground.ts';
import { REGISTRY } from '../support/installation.ts';
import { signatureOf } from '../support/layout-ground.ts';

const evidence = ['cyclonedx', 'slsaprovenance1'].map((type) => ({ type, signer: 'ca', layout: 'both' }));
const RULES = [{ name: 'all', evidence, policies: 'signed' }];

const REFERRER = /^PUT .*\/manifests\/sha256:/;
const FALLBACK_TAG = /^PUT .*\/manifests\/sha256-[0-9a-f]{64}$/;

/** Kills the worker at a request, lets another one take over, and looks at what there is in the end. */
async function killedAt(name: string, when: 'before' | 'after', request: RegExp): Promise<void> {
  await using ground = await openFaultGround({ rules: RULES });
  const first = await ground.workers.spawn();
  const killed = Promise.withResolvers<void>();
  ground.proxy[when](request, async () => {
    first.signal('SIGKILL');
    assert.equal(await first.ended, 'SIGKILL');
    killed.resolve();
    return 'drop';
  });
  const repository = `killed/${name}`;
  const digest = await ground.pushed(repository);
  await killed.promise;
  await ground.workers.spawn();
  await ground.wholeOnce(repository, digest);
  await sameInBoth(ground, { registry: REGISTRY, repository, digest });
}

async function sameInBoth({ client }: FaultGround, location: EvidenceLocation): Promise<void> {
  const attestations = (await readAttestationTag(client, location)).evidence.map(signatureOf);
  const bundles = (await readBundles(client, location)).evidence.map(signatureOf);
  assert.equal(attestations.length, 2);
  assert.deepEqual(new Set(bundles), new Set(attestations));
  assert.equal(bundles.length, 2);
}

test('killed between the tag and the first bundle: the next one completes it with the same signatures', async () => {
  await killedAt('before-bundles', 'before', REFERRER);
});

test('killed between the bundles', async () => {
  await killedAt('between-bundles', 'after', REFERRER);
});

test('killed while the list of referrers is written', async () => {
  await killedAt('while-listing', 'before', FALLBACK_TAG);
});

test('killed once the list of referrers stands', async () => {
  await killedAt('after-listing', 'after', FALLBACK_TAG);
});
