import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { noOwnPushes } from '#cli/local-engine.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLocation } from '#model/evidence.ts';
import { DSSE_ENVELOPE, OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '#model/media-types.ts';
import type { Lease } from '#model/ports.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import { UNWITNESSED } from '#model/witnessed.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import type { ReadTarget } from '#oci/target.ts';
import { attestationLayer, isListedAs, tagConfig, tagManifestBytes } from '#storage/attestation-manifest.ts';
import { readAttestationTag } from '#storage/attestation-tag-reader.ts';
import { missingAfterWrite, writeAttestationTag } from '#storage/attestation-tag-writer.ts';
import { attestationTagOf, junkAttachment, overwriteAttached } from '../../support/attachments.ts';

const location: EvidenceLocation = { registry: 'registry.test', repository: 'team/app', digest: sha256('an image') };
const { repository, digest: subject } = location;

function leaseOf(check: () => Promise<void> = async () => {}): Lease {
  return { fence: 1, signal: new AbortController().signal, check, [Symbol.asyncDispose]: async () => {} };
}

function statementOf(text: string, more: Partial<SignedStatement> = {}): SignedStatement {
  const predicateType = 'https://example.org/type';
  const bytes = Buffer.from(text);
  const signed = { envelope: bytes, payload: bytes, signature: bytes, publicKey: 'PEM', witnessed: UNWITNESSED };
  return { ...signed, predicateType, fingerprint: 'aa', ...more };
}

const NOTHING = { layers: [], evidence: [] } as const;
const NO_EDIT = { add: [], relist: [], drop: new Set<never>() };

describe('the manifest', () => {
  test('is the same bytes for the same layers', () => {
    const layers = [attestationLayer(statementOf('one')), attestationLayer(statementOf('two'))];
    const config = tagConfig(layers);
    assert.deepEqual(tagManifestBytes(layers, config), tagManifestBytes([...layers], tagConfig([...layers])));
    const { rootfs, history } = JSON.parse(new TextDecoder().decode(config));
    assert.deepEqual(
      rootfs.diff_ids,
      layers.map((layer) => layer.digest),
    );
    assert.equal(history.length, 2);
  });

  test('lists an empty chain beside a certificate that has none, and neither beside a plain key', () => {
    const withCertificate = attestationLayer(statementOf('one', { certificate: 'PEM' }));
    assert.deepEqual(withCertificate.annotations, {
      'dev.cosignproject.cosign/signature': '',
      predicateType: 'https://example.org/type',
      'dev.sigstore.cosign/certificate': 'PEM',
      'dev.sigstore.cosign/chain': '',
    });
    assert.equal(Object.keys(attestationLayer(statementOf('one')).annotations ?? {}).length, 2);
  });

  test('lists a layer as written when nothing of it is missing or other', () => {
    const written = attestationLayer(statementOf('one'));
    const annotations = { ...written.annotations, added: 'yes' };
    assert.equal(isListedAs({ ...written, annotations }, written), true);
    assert.equal(isListedAs({ ...written, annotations: { added: 'yes' } }, written), false);
    assert.equal(isListedAs({ ...written, digest: sha256('other') }, written), false);
  });
});

describe('reading', () => {
  test('nothing at the tag is no evidence', async () => {
    assert.deepEqual(await readAttestationTag(createMemoryTarget(), location), NOTHING);
  });

  test('many layers come in the order of the manifest', async () => {
    const target = createMemoryTarget();
    const junk = Array.from({ length: 25 }, (_, at) => junkAttachment(`layer ${at}`));
    await overwriteAttached(target, repository, subject, junk);
    const { evidence } = await readAttestationTag(target, location);
    assert.deepEqual(
      evidence.map(({ bytes }) => Buffer.from(bytes ?? []).toString()),
      junk.map(({ bytes }) => Buffer.from(bytes ?? []).toString()),
    );
  });

  test('a blob that is not there is listed without bytes; one that cannot be had is a failure', async () => {
    const target = createMemoryTarget();
    const [here, gone] = [junkAttachment('here'), junkAttachment('gone')];
    await overwriteAttached(target, repository, subject, [here, gone]);
    const without = (code: 'not-found' | 'registry-unavailable'): ReadTarget => ({
      ...target,
      blob: async (name, descriptor) => {
        if (descriptor.digest === gone.descriptor.digest) throw new AppError(code, 'the test says so');
        return target.blob(name, descriptor);
      },
    });
    const { evidence } = await readAttestationTag(without('not-found'), location);
    assert.deepEqual(
      evidence.map(({ bytes }) => bytes !== undefined),
      [true, false],
    );
    await assert.rejects(readAttestationTag(without('registry-unavailable'), location), {
      code: 'registry-unavailable',
    });
  });

  test('what would fill the memory is refused before it is fetched', async () => {
    const huge = (size: number, count: number) =>
      manifestOf(Array.from({ length: count }, (_, at) => hugeLayer(at, size)));
    await assert.rejects(readAttestationTag(listing(huge(129 * 1024 * 1024, 1)), location), { code: 'too-large' });
    await assert.rejects(readAttestationTag(listing(huge(100 * 1024 * 1024, 3)), location), {
      code: 'too-large',
      message: /lists 314572800 bytes/,
    });
    await assert.rejects(readAttestationTag(listing(huge(1, 1001)), location), { code: 'too-large' });
  });

  test('an index is read by its linux/amd64 child, and an index of indexes refused', async () => {
    const target = createMemoryTarget();
    const amd64 = await overwriteAttached(target, repository, subject, [junkAttachment('amd64')]);
    const arm64 = await overwriteAttached(target, repository, subject, [junkAttachment('arm64')]);
    const child = async (digest: typeof amd64, architecture: string) => ({
      ...(await target.resolve(repository, digest)),
      platform: { os: 'linux', architecture },
    });
    const index = await pushIndex([await child(arm64, 'arm64'), await child(amd64, 'amd64')]);
    const { layers, insideIndex } = await readAttestationTag(target, location);
    assert.deepEqual([layers[0]?.digest, insideIndex], [junkAttachment('amd64').descriptor.digest, true]);
    await pushIndex([await child(arm64, 'arm64')]);
    assert.deepEqual((await readAttestationTag(target, location)).layers, []);
    await pushIndex([index]);
    await assert.rejects(readAttestationTag(target, location), { code: 'index-nested' });

    async function pushIndex(manifests: readonly Descriptor[]): Promise<Descriptor> {
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
      return target.pushManifest(repository, attestationTagOf(subject), bytes, OCI_INDEX);
    }
  });
});

describe('writing', () => {
  test('a tag that changed since it was read is a conflict, and nothing is put there', async () => {
    const target = createMemoryTarget();
    const digest = await overwriteAttached(target, repository, subject, [junkAttachment('theirs')]);
    const context = { target, lease: leaseOf(), ownPushes: noOwnPushes };
    const edit = { ...NO_EDIT, add: [statementOf('ours')] };
    await assert.rejects(writeAttestationTag(context, location, NOTHING, edit), { code: 'write-conflict' });
    assert.equal((await target.resolve(repository, attestationTagOf(subject))).digest, digest);
  });

  test('a lease that is lost at the last check writes nothing', async () => {
    const target = createMemoryTarget();
    const lease = leaseOf(() => Promise.reject(new AppError('lock-lost', 'another writer took it')));
    const context = { target, lease, ownPushes: noOwnPushes };
    const edit = { ...NO_EDIT, add: [statementOf('ours')] };
    await assert.rejects(writeAttestationTag(context, location, NOTHING, edit), { code: 'lock-lost' });
    await assert.rejects(target.resolve(repository, attestationTagOf(subject)), { code: 'not-found' });
  });

  test('the same layer twice is listed once, and a thousand and one are refused', async () => {
    const target = createMemoryTarget();
    const context = { target, lease: leaseOf(), ownPushes: noOwnPushes };
    const twice = { ...NO_EDIT, add: [statementOf('one'), statementOf('one')] };
    const { layers } = await writeAttestationTag(context, location, NOTHING, twice);
    assert.equal(layers.length, 1);
    const full = { evidence: [], layers: Array.from({ length: 1000 }, (_, at) => hugeLayer(at, 1)) };
    await assert.rejects(writeAttestationTag(context, location, full, { ...NO_EDIT, add: [statementOf('two')] }), {
      code: 'too-large',
      mend: /at most 1000/,
    });
  });

  test('reading back tells what is missing, or is listed without its annotations', async () => {
    const target = createMemoryTarget();
    const layer = attestationLayer(statementOf('ours'));
    assert.deepEqual(await missingAfterWrite(target, location, [layer]), [layer]);
    const bytes = Buffer.from('ours');
    await overwriteAttached(target, repository, subject, [{ descriptor: layer, bytes }]);
    assert.deepEqual(await missingAfterWrite(target, location, [layer]), []);
    await overwriteAttached(target, repository, subject, [{ descriptor: { ...layer, annotations: {} }, bytes }]);
    assert.deepEqual(await missingAfterWrite(target, location, [layer]), [layer]);
  });
});

function hugeLayer(at: number, size: number): Descriptor {
  return { mediaType: DSSE_ENVELOPE, digest: sha256(`layer ${at}`), size };
}

function manifestOf(layers: readonly Descriptor[]): Buffer {
  const config = { mediaType: OCI_CONFIG, digest: sha256('{}'), size: 2 };
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers }));
}

/** A registry whose tag holds this manifest, and that must not be asked for blobs. */
function listing(bytes: Buffer): ReadTarget {
  const descriptor = { mediaType: OCI_MANIFEST, digest: sha256(bytes), size: bytes.byteLength };
  return {
    ...createMemoryTarget(),
    manifest: async () => ({ descriptor, bytes }),
    blob: () => assert.fail('a blob was fetched'),
  };
}
