import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { processWrittenStore } from '#cli/local-engine.ts';
import type { Digest } from '#model/digest.ts';
import type { Target } from '#oci/target.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { attachedDigests, overwriteAttached, readAttached, signedAttachment } from '../../support/attachments.ts';
import { attest, bothWishes, enginePorts, signerOf, statesOf, wishOf } from '../../support/installation.ts';
import { issueFrom, makeKey, makePki, type Pki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { watchTarget } from '../../support/watched-target.ts';

const CYCLONEDX = 'https://cyclonedx.org/bom';
const EARLIER = new Date('2026-01-15T00:00:00Z');

let registry: TestRegistry;
let client: Target & AsyncDisposable;

before(async () => {
  registry = await startRegistry();
  client = connect(registry.url);
});
after(async () => {
  await client[Symbol.asyncDispose]();
  await registry.stop();
});

/** A CA whose leaf is good in January and no longer in June. */
function shortLived(keyKind: 'p256' | 'ed25519' = 'p256'): Pki {
  return makePki({ leaf: { keyKind, notAfter: new Date('2026-02-01T00:00:00Z') } });
}

function renewed(pki: Pki, key = makeKey()): Pki {
  return { ...pki, leaf: issueFrom(pki.intermediate, { subject: 'Renewed Signer', key }) };
}

async function attestedInJanuary(repository: string, pki: Pki, written = processWrittenStore()) {
  const subject = await push(client, repository, '1.0', await smallImage(repository.replaceAll('/', '-')));
  const signer = signerOf(pki, 'signer', EARLIER);
  const ports = enginePorts(client, { now: () => EARLIER, written });
  await attest(ports, repository, '1.0', bothWishes({ signer }));
  return { subject, signer, before: await attachedDigests(client, repository, subject) };
}

function noneOf(digests: readonly Digest[], old: readonly Digest[]): boolean {
  return digests.every((digest) => !old.includes(digest));
}

test('own evidence whose certificate expired is replaced in one PUT', async () => {
  const repository = 'superseded/expired';
  const pki = shortLived();
  const { subject, before } = await attestedInJanuary(repository, pki);
  const next = renewed(pki);
  const former = [{ fingerprint: signerOf(pki, 'old', EARLIER).fingerprint, pem: pki.leaf.pem }];
  const target = watchTarget(client);
  const report = await attest(enginePorts(target), repository, '1.0', bothWishes({ signer: signerOf(next), former }));
  assert.deepEqual(statesOf(report), ['cyclonedx replaced', 'slsaprovenance1 replaced']);
  assert.equal(target.puts.length, 1);
  const digests = await attachedDigests(client, repository, subject);
  assert.equal(digests.length, 2);
  assert.ok(noneOf(digests, before));
});

test('a renewed certificate of the same key knows its evidence without being told', async () => {
  const repository = 'superseded/same-key';
  const pki = shortLived();
  const written = processWrittenStore();
  const { subject } = await attestedInJanuary(repository, pki, written);
  const wishes = bothWishes({ signer: signerOf(renewed(pki, pki.leaf.key)) });
  for (const memory of [written, processWrittenStore()]) {
    const report = await attest(enginePorts(client, { written: memory }), repository, '1.0', wishes, { force: true });
    assert.deepEqual(statesOf(report), ['cyclonedx replaced', 'slsaprovenance1 replaced']);
    assert.equal((await attachedDigests(client, repository, subject)).length, 2);
  }
});

test('a key whose signatures repeat: the same envelope is listed with the new certificate', async () => {
  const repository = 'superseded/deterministic';
  const pki = shortLived('ed25519');
  const { subject, before } = await attestedInJanuary(repository, pki);
  const next = renewed(pki, pki.leaf.key);
  const report = await attest(enginePorts(client), repository, '1.0', bothWishes({ signer: signerOf(next) }));
  assert.deepEqual(statesOf(report), ['cyclonedx replaced', 'slsaprovenance1 replaced']);
  const { layers } = await readAttached(client, repository, subject);
  assert.deepEqual(layers.map(({ digest }) => digest).sort(), before.toSorted());
  for (const { annotations } of layers) assert.equal(annotations?.['dev.sigstore.cosign/certificate'], next.leaf.pem);
  const again = watchTarget(client);
  await attest(enginePorts(again), repository, '1.0', bothWishes({ signer: signerOf(next) }));
  assert.deepEqual(again.puts, []);
});

test('what the record says we wrote for a rule is own, though its signer was taken out of the configuration', async () => {
  const repository = 'superseded/recorded';
  const written = processWrittenStore();
  const { subject, before } = await attestedInJanuary(repository, makePki(), written);
  const next = signerOf(makePki({ root: { subject: 'New Root' } }));
  const report = await attest(enginePorts(client, { written }), repository, '1.0', bothWishes({ signer: next }));
  assert.deepEqual(statesOf(report), ['cyclonedx replaced', 'slsaprovenance1 replaced']);
  assert.ok(noneOf(await attachedDigests(client, repository, subject), before));
});

test('without a record, a former signer whose certificate is given is own, and an unknown one is somebody else', async () => {
  const repository = 'superseded/former';
  const old = makePki();
  const { subject, before, signer } = await attestedInJanuary(repository, old);
  const next = signerOf(makePki({ root: { subject: 'New Root' } }));
  const added = await attest(enginePorts(client), repository, '1.0', [wishOf('cyclonedx', { signer: next })]);
  assert.deepEqual(statesOf(added), ['cyclonedx created']);
  assert.deepEqual((await attachedDigests(client, repository, subject)).slice(0, 2), before);
  const former = [{ fingerprint: signer.fingerprint, pem: old.leaf.pem }];
  const wish = wishOf('slsaprovenance1', { signer: next, former });
  assert.deepEqual(statesOf(await attest(enginePorts(client), repository, '1.0', [wish])), [
    'slsaprovenance1 replaced',
  ]);
  const digests = await attachedDigests(client, repository, subject);
  assert.ok(before[0] && digests.includes(before[0]), 'the SBOM was not asked for under that former signer');
  assert.ok(before[1] && !digests.includes(before[1]));
});

test('a statement by our key that is not of our making is not replaced', async () => {
  const repository = 'superseded/not-ours';
  const pki = makePki();
  const signer = signerOf(pki);
  const subject = await push(client, repository, '1.0', await smallImage('not-ours'));
  const theirs = await signedAttachment(signer, subject, CYCLONEDX, { bomFormat: 'CycloneDX', by: 'a pipeline' });
  await overwriteAttached(client, repository, subject, [theirs]);
  const wish = wishOf('cyclonedx', { signer });
  assert.deepEqual(statesOf(await attest(enginePorts(client), repository, '1.0', [wish])), ['cyclonedx present']);
  const forced = await attest(enginePorts(client), repository, '1.0', [wish], { force: true });
  assert.deepEqual(statesOf(forced), ['cyclonedx created']);
  assert.equal((await attachedDigests(client, repository, subject))[0], theirs.descriptor.digest);
});

test('two signers of one rule keep a statement each; neither replaces the other', async () => {
  const repository = 'superseded/two-signers';
  const [one, two] = [signerOf(makePki(), 'one'), signerOf(makePki({ root: { subject: 'Second Root' } }), 'two')];
  const subject = await push(client, repository, '1.0', await smallImage('two-signers'));
  const wishes = [wishOf('cyclonedx', { signer: one }), wishOf('cyclonedx', { signer: two })];
  const ports = enginePorts(client);
  assert.deepEqual(statesOf(await attest(ports, repository, '1.0', wishes)), [
    'cyclonedx created',
    'cyclonedx created',
  ]);
  assert.equal((await attachedDigests(client, repository, subject)).length, 2);
  const forced = await attest(ports, repository, '1.0', wishes, { force: true });
  assert.deepEqual(statesOf(forced), ['cyclonedx replaced', 'cyclonedx replaced']);
  assert.equal((await attachedDigests(client, repository, subject)).length, 2);
});

test('a trust that our own signature does not meet is no reason to sign again at every look', async () => {
  const repository = 'superseded/other-trust';
  const signer = signerOf(makePki());
  const attestor = chainAttestor({
    roots: makePki({ root: { subject: 'Pipeline Root' } }).root.pem,
    requireLog: false,
  });
  await push(client, repository, '1.0', await smallImage('other-trust'));
  const wishes = bothWishes({ signer, attestor });
  const ports = enginePorts(client);
  assert.deepEqual(statesOf(await attest(ports, repository, '1.0', wishes)), [
    'cyclonedx created',
    'slsaprovenance1 created',
  ]);
  const target = watchTarget(client);
  const again = await attest(enginePorts(target), repository, '1.0', wishes);
  assert.deepEqual(statesOf(again), ['cyclonedx present', 'slsaprovenance1 present']);
  assert.deepEqual(target.puts, []);
});

test('where nothing may be signed, expired evidence is restored only when the rule restores', async () => {
  const repository = 'superseded/restoring';
  const pki = shortLived();
  await attestedInJanuary(repository, pki);
  const wishes = bothWishes({ signer: signerOf(renewed(pki, pki.leaf.key)) });
  const alert = { maySign: false, mayRestore: false };
  const left = await attest(enginePorts(client), repository, '1.0', wishes, alert);
  assert.deepEqual(statesOf(left), ['cyclonedx refused', 'slsaprovenance1 refused']);
  const restored = await attest(enginePorts(client), repository, '1.0', wishes, {
    ...alert,
    mayRestore: true,
    mayRenew: () => true,
  });
  assert.deepEqual(statesOf(restored), ['cyclonedx replaced', 'slsaprovenance1 replaced']);
});
