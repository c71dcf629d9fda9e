import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import type { EvidenceLayout, RawEvidence } from '#model/evidence.ts';
import { COSIGN_BUNDLE, COSIGN_RFC3161 } from '#model/media-types.ts';
import { attest, wishOf } from '../../support/installation.ts';
import { type KeylessGround, startKeyless } from '../../support/keyless-ground.ts';
import {
  counting,
  keySigner,
  type LayoutRegistry,
  layoutGround,
  manifestsOf,
  openRegistry,
  signatureOf,
} from '../../support/layout-ground.ts';

const BOTH: readonly EvidenceLayout[] = ['cosign-tag', 'bundle'];

let registry: LayoutRegistry;
let witnesses: KeylessGround;
before(async () => {
  registry = await openRegistry('referrers API');
  witnesses = await startKeyless();
});
after(async () => {
  await registry[Symbol.asyncDispose]();
  await witnesses[Symbol.asyncDispose]();
});

/** How many log entries and timestamps came with a piece. */
function testimonies({ layout, descriptor, bytes }: RawEvidence): readonly number[] {
  const { annotations = {} } = descriptor;
  if (layout === 'cosign-tag')
    return [annotations[COSIGN_BUNDLE], annotations[COSIGN_RFC3161]].map((text) => (text ? 1 : 0));
  const { verificationMaterial } = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
  const { tlogEntries, timestampVerificationData } = verificationMaterial;
  return [tlogEntries.length, timestampVerificationData.rfc3161Timestamps.length];
}

async function ground(name: string) {
  const made = await layoutGround(registry.client, name);
  return { ...made, ports: { ...made.ports, now: witnesses.clock.now } };
}

test('each layout carries the testimonies that it can hold', async () => {
  const { run, attestations, bundles } = await ground('carried');
  const signer = { ...keySigner(), witnesses: witnesses.known };
  await run([wishOf('slsaprovenance1', { signer, layouts: BOTH })]);
  assert.deepEqual((await attestations()).map(testimonies), [[1, 1]]);
  assert.deepEqual((await bundles()).map(testimonies), [[2, 1]]);
});

test('the missing layout gets testimonies of its own for the signature that is there', async () => {
  const { run, attestations, bundles } = await ground('witnessed-again');
  const counted = counting({ ...keySigner(), witnesses: witnesses.known });
  const { signer } = counted;
  await run([wishOf('slsaprovenance1', { signer, layouts: ['cosign-tag'] })]);
  const states = await run([wishOf('slsaprovenance1', { signer, layouts: BOTH })]);
  assert.deepEqual(states, ['slsaprovenance1 cosign-tag present', 'slsaprovenance1 bundle created']);
  assert.equal(counted.signatures(), 1);
  const [attestation] = await attestations();
  const [bundle] = await bundles();
  assert.ok(attestation && bundle);
  assert.equal(signatureOf(bundle), signatureOf(attestation));
  assert.deepEqual(testimonies(bundle), [2, 1]);
});

test('a witness that is away leaves nothing half written', async () => {
  const { run, attestations, bundles, ports, location } = await ground('witness-away');
  const signer = { ...keySigner(), witnesses: witnesses.known };
  const wish = wishOf('slsaprovenance1', { signer, layouts: BOTH });
  witnesses.tsa.bend(() => ({ status: 503 }));
  await assert.rejects(run([wish]), { code: 'witness-unavailable' });
  witnesses.tsa.bend();
  assert.deepEqual([await attestations(), await bundles(), await ports.written.list(location)], [[], [], []]);
  assert.deepEqual(await run([wish]), ['slsaprovenance1 cosign-tag created', 'slsaprovenance1 bundle created']);
});

test('keyless evidence stays ours when its certificate is over, with and without a record', async () => {
  const made = await layoutGround(registry.client, 'keyless');
  const at = { now: witnesses.clock.now };
  const first = { ...made.ports, ...at };
  // A bundle brings no chain: the trust has the intermediates.
  const { authority, pki } = witnesses;
  const intermediates = pki.intermediates.flatMap(({ pem }) => parseCertificates(pem));
  const signer = witnesses.signer({ trust: () => ({ authorities: [{ ...authority, intermediates }] }) });
  const wish = wishOf('slsaprovenance1', { signer, layouts: BOTH });
  const run = async (ports: typeof first, more: object = {}) => {
    const { evidence } = await attest(ports, made.location.repository, made.location.digest, [wish], more);
    return evidence.map(({ layout, state }) => `${layout} ${state}`);
  };
  assert.deepEqual(await run(first), ['cosign-tag created', 'bundle created']);
  const [attestation] = await made.attestations();
  const [bundle] = await made.bundles();
  assert.ok(attestation && bundle);
  assert.equal(signatureOf(bundle), signatureOf(attestation));
  witnesses.clock.pass(3_600_000);
  assert.deepEqual(await run(first), ['cosign-tag present', 'bundle present']);
  const forgetful = { ...made.forgetful().ports, ...at };
  assert.deepEqual(await run(forgetful), ['cosign-tag present', 'bundle present']);
  assert.deepEqual(await run(first, { force: true }), ['cosign-tag replaced', 'bundle replaced']);
  assert.equal((await made.attestations()).length, 1);
  assert.equal(manifestsOf(await made.bundles()).length, 1);
});
