import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EvidenceLayout } from '#model/evidence.ts';
import { attest, wishOf } from '../../support/installation.ts';
import { counting, keySigner, layoutGround, manifestsOf } from '../../support/layout-ground.ts';
import { type ReferrersRegistry, startReferrersRegistry } from '../../support/referrers-registry.ts';
import { connect } from '../../support/registry-target.ts';

const BOTH: readonly EvidenceLayout[] = ['cosign-tag', 'bundle'];
const NO_REFERRERS = { status: 404, code: 'NOT_FOUND', message: 'no such end point' };
const IMMUTABLE = { status: 409, code: 'TAG_IMMUTABLE', message: 'The tag is immutable.' };

async function start(registry: ReferrersRegistry, name: string) {
  const client = connect(registry.url);
  const { signer, signatures } = counting(keySigner());
  const wish = (layouts = BOTH) => wishOf('slsaprovenance1', { signer, layouts });
  return { ...(await layoutGround(client, name)), client, wish, signatures };
}

test('where nothing is deleted, what was replaced is left, said, and not asked for again', async () => {
  await using registry = await startReferrersRegistry({ deletes: false });
  const { client, ports, location, wish, bundles, run } = await start(registry, 'kept');
  await using _client = client;
  await run([wish()]);
  const [old] = manifestsOf(await bundles());
  const { evidence } = await attest(ports, location.repository, location.digest, [wish()], { force: true });
  assert.deepEqual(
    evidence.map(({ layout, state, left }) => [layout, state, left]),
    [
      ['cosign-tag', 'replaced', undefined],
      ['bundle', 'replaced', [old]],
    ],
  );
  assert.equal((await bundles()).length, 2);
  const deletions = () => registry.requests.filter((line) => line.startsWith('DELETE')).length;
  const tried = deletions();
  assert.deepEqual(await run([wish()]), ['slsaprovenance1 cosign-tag present', 'slsaprovenance1 bundle present']);
  assert.equal(deletions(), tried);
  registry.manner.deletes = true;
});

test('bundles live where tags cannot be written again, when the registry lists referrers', async () => {
  await using registry = await startReferrersRegistry({ immutable: IMMUTABLE });
  const { client, wish, bundles, run } = await start(registry, 'immutable');
  await using _client = client;
  assert.deepEqual(await run([wish(['bundle'])]), ['slsaprovenance1 bundle created']);
  assert.deepEqual(await run([wish(['bundle'])], { force: true }), ['slsaprovenance1 bundle replaced']);
  assert.equal((await bundles()).length, 1);
});

test('a list of referrers at a tag that cannot be written again is refused before anything is written', async () => {
  await using registry = await startReferrersRegistry({ referrers: NO_REFERRERS });
  const { client, ports, location, wish, bundles, attestations, target } = await start(registry, 'no-place');
  await using _client = client;
  const fixed = {
    ...target,
    capabilities: async (repository: string) => ({ ...(await client.capabilities(repository)), immutableTags: true }),
  };
  const registries = { nameOf: (host: string) => host, target: () => fixed, close: async () => {} };
  await assert.rejects(attest({ ...ports, registries }, location.repository, location.digest, [wish()]), {
    code: 'tag-immutable',
    message: /lists no referrers itself, and its tags cannot be written again/,
  });
  assert.deepEqual([await attestations(), await bundles()], [[], []]);
});

test('a tag of cosign that cannot be written again says so, and what is there stays', async () => {
  await using registry = await startReferrersRegistry();
  const { client, wish, attestations, run } = await start(registry, 'tag-fixed');
  await using _client = client;
  await run([wish(['cosign-tag'])]);
  const before = await attestations();
  registry.manner.immutable = IMMUTABLE;
  await assert.rejects(run([wish(['cosign-tag'])], { force: true }), { code: 'tag-immutable' });
  assert.deepEqual(await attestations(), before);
});

test('a referrers end point that is forbidden is an error, never a reason to look at the tags alone', async () => {
  await using registry = await startReferrersRegistry();
  const { client, wish, attestations, run } = await start(registry, 'forbidden');
  await using _client = client;
  registry.manner.referrers = { status: 403, code: 'DENIED', message: 'no' };
  await assert.rejects(run([wish()]), { code: 'registry-forbidden' });
  assert.deepEqual(await attestations(), []);
});
