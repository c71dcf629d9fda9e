import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { parseDigest, sha256 } from '#model/digest.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { COSIGN_BUNDLE, COSIGN_RFC3161 } from '#model/media-types.ts';
import { attestationTagOf } from '../../support/attachments.ts';
import { attest, wishOf } from '../../support/installation.ts';
import { type KeylessGround, startKeyless } from '../../support/keyless-ground.ts';
import {
  type LayoutGround,
  type LayoutRegistry,
  layoutGround,
  openRegistry,
  signatureOf,
} from '../../support/layout-ground.ts';

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

/** The last byte of a text in base64 becomes another one. */
function bent(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes.toString('base64');
}

function bentNote(text: string): string {
  const note = JSON.parse(text);
  if (note.SignedEntryTimestamp) note.SignedEntryTimestamp = bent(note.SignedEntryTimestamp);
  if (note.SignedRFC3161Timestamp) note.SignedRFC3161Timestamp = bent(note.SignedRFC3161Timestamp);
  return JSON.stringify(note);
}

/** What stands beside our signature at cosign's tag is replaced, as anybody could who may push. */
async function bendTag({ location }: LayoutGround, names: readonly string[]): Promise<void> {
  const tag = attestationTagOf(location.digest);
  const stored = await registry.client.manifest(location.repository, tag);
  const manifest = JSON.parse(Buffer.from(stored.bytes).toString('utf8'));
  for (const { annotations } of manifest.layers) {
    for (const name of names) annotations[name] = bentNote(annotations[name]);
  }
  const bytes = Buffer.from(JSON.stringify(manifest));
  await registry.client.pushManifest(location.repository, tag, bytes, stored.descriptor.mediaType);
}

type Material = {
  tlogEntries: { inclusionPromise?: { signedEntryTimestamp: string }; inclusionProof: { rootHash: string } }[];
  timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] };
};

async function bendBundle(ground: LayoutGround, bend: (material: Material) => void): Promise<void> {
  const { repository } = ground.location;
  const [raw] = await ground.bundles();
  const bundle = JSON.parse(Buffer.from(raw?.bytes ?? []).toString('utf8'));
  bend(bundle.verificationMaterial);
  const manifestDigest = parseDigest(raw?.manifestDigest ?? '');
  assert.ok(raw && manifestDigest);
  const stored = await registry.client.manifest(repository, manifestDigest);
  const manifest = JSON.parse(Buffer.from(stored.bytes).toString('utf8'));
  const [layer] = manifest.layers;
  const blob = await registry.client.pushBlob(repository, Buffer.from(JSON.stringify(bundle)), layer.mediaType);
  manifest.layers = [{ ...layer, digest: blob.digest, size: blob.size }];
  await registry.client.deleteManifest(repository, manifestDigest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  await registry.client.pushManifest(repository, sha256(bytes), bytes, stored.descriptor.mediaType);
}

const first = <Item>(items: readonly Item[]): Item => {
  const [item] = items;
  assert.ok(item);
  return item;
};

test('testimonies that nobody gave keep nothing from being made anew', async () => {
  const { authority, pki } = witnesses;
  const intermediates = pki.intermediates.flatMap(({ pem }) => parseCertificates(pem));
  const trust = () => ({ authorities: [{ ...authority, intermediates }] });
  const cases: readonly (readonly [string, 'cosign-tag' | 'bundle', (ground: LayoutGround) => Promise<void>])[] = [
    ['tag-entry', 'cosign-tag', (ground) => bendTag(ground, [COSIGN_BUNDLE])],
    ['tag-stamp', 'cosign-tag', (ground) => bendTag(ground, [COSIGN_RFC3161])],
    ['tag-both', 'cosign-tag', (ground) => bendTag(ground, [COSIGN_BUNDLE, COSIGN_RFC3161])],
    [
      'bundle-stamp',
      'bundle',
      (ground) =>
        bendBundle(ground, ({ timestampVerificationData }) => {
          const stamp = first(timestampVerificationData.rfc3161Timestamps);
          stamp.signedTimestamp = bent(stamp.signedTimestamp);
        }),
    ],
    [
      'bundle-promise',
      'bundle',
      (ground) =>
        bendBundle(ground, ({ tlogEntries }) => {
          const promise = first(tlogEntries.flatMap(({ inclusionPromise }) => inclusionPromise ?? []));
          promise.signedEntryTimestamp = bent(promise.signedEntryTimestamp);
        }),
    ],
    [
      'bundle-lacks-a-log',
      'bundle',
      (ground) =>
        bendBundle(ground, (material) => {
          material.tlogEntries = material.tlogEntries.filter(({ inclusionPromise }) => inclusionPromise);
        }),
    ],
  ];
  for (const [name, layout, bend] of cases) {
    const ground = await layoutGround(registry.client, name);
    const signer = witnesses.signer({ trust });
    const wish = wishOf('slsaprovenance1', { signer, layouts: [layout] });
    const run = async ({ ports, location }: LayoutGround) => {
      const at = { ...ports, now: witnesses.clock.now };
      const { evidence } = await attest(at, location.repository, location.digest, [wish]);
      return evidence.map(({ state }) => state);
    };
    const pieces = (): Promise<readonly RawEvidence[]> =>
      layout === 'bundle' ? ground.bundles() : ground.attestations();
    assert.deepEqual(await run(ground), ['created'], name);
    const before = first(await pieces());
    witnesses.clock.pass(3_600_000);
    await bend(ground);
    const bogus = first(await pieces());
    assert.equal(signatureOf(bogus), signatureOf(before));
    // Nobody remembers that it was written, so that what lies there is all that is known of it.
    const [state] = await run(ground.forgetful());
    assert.ok(state === 'created' || state === 'replaced', `${name} ${state}`);
    assert.deepEqual(await run(ground.forgetful()), ['present'], name);
  }
});
