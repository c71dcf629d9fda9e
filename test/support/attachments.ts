import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestHex, digestTag, sha256 } from '#model/digest.ts';
import type { Statement } from '#model/evidence.ts';
import { DSSE_ENVELOPE, OCI_CONFIG, OCI_MANIFEST, STATEMENT_V1 } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import { attestationLayer } from '#storage/attestation-manifest.ts';

/** A layer and, unless the registry is to lack it, its content. */
export interface Attachment {
  readonly descriptor: Descriptor;
  readonly bytes?: Uint8Array;
}

interface AttestationManifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** The attestation tag of an image as it lies in the registry. */
export interface Attached {
  readonly digest: Digest;
  readonly manifest: AttestationManifest & Readonly<Record<string, unknown>>;
  readonly layers: readonly Descriptor[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly configText: string;
}

export function attestationTagOf(subject: Digest): string {
  return digestTag(subject, '.att');
}

/** What is attached to an image. @throws AppError `not-found` */
export async function readAttached(target: Target, repository: string, subject: Digest): Promise<Attached> {
  const stored = await target.manifest(repository, attestationTagOf(subject));
  const manifest = JSON.parse(new TextDecoder().decode(stored.bytes)) as Attached['manifest'];
  const configText = new TextDecoder().decode(await readBytes(target, repository, manifest.config));
  const config = JSON.parse(configText) as Attached['config'];
  return { digest: stored.descriptor.digest, manifest, layers: manifest.layers, config, configText };
}

/** The digests of the attached layers; none where nothing is attached. */
export async function attachedDigests(target: Target, repository: string, subject: Digest): Promise<readonly Digest[]> {
  return (await readAttached(target, repository, subject)).layers.map(({ digest }) => digest);
}

export interface ReadStatement {
  readonly envelope: { readonly payloadType: string; readonly payload: string; readonly signatures: readonly object[] };
  readonly payload: Buffer;
  readonly statement: Statement & { readonly predicate: Readonly<Record<string, unknown>> };
}

/** The statement inside an attached layer. */
export async function readStatementOf(target: Target, repository: string, layer: Descriptor): Promise<ReadStatement> {
  const bytes = await readBytes(target, repository, layer);
  const envelope = JSON.parse(new TextDecoder().decode(bytes)) as ReadStatement['envelope'];
  const payload = Buffer.from(envelope.payload, 'base64');
  return { envelope, payload, statement: JSON.parse(payload.toString()) as ReadStatement['statement'] };
}

export async function readBytes(target: Target, repository: string, descriptor: Descriptor): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await target.blob(repository, descriptor)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Evidence by any signer, in the layout of cosign. */
export async function signedAttachment(
  signer: ConfiguredSigner,
  subject: Digest,
  predicateType: string,
  predicate: object = { by: signer.id },
): Promise<Attachment> {
  const statement = {
    _type: STATEMENT_V1,
    subject: [{ name: 'registry.test/somebody', digest: { sha256: digestHex(subject) } }],
    predicateType,
    predicate,
  };
  const signed = await signStatement(signer, Buffer.from(JSON.stringify(statement)), predicateType, {
    layouts: ['cosign-tag'],
  });
  return { descriptor: attestationLayer(signed), bytes: signed.envelope };
}

/** A layer that no verifier can make anything of. */
export function junkAttachment(text: string, annotations: Readonly<Record<string, string>> = {}): Attachment {
  const bytes = Buffer.from(text);
  const size = bytes.byteLength;
  return { bytes, descriptor: { mediaType: DSSE_ENVELOPE, digest: sha256(bytes), size, annotations } };
}

/** Writes the attestation tag as another tool does: the layers in this order and nothing else. */
export async function overwriteAttached(
  target: Target,
  repository: string,
  subject: Digest,
  attachments: readonly Attachment[],
): Promise<Digest> {
  for (const { bytes, descriptor } of attachments) {
    if (bytes) await target.pushBlob(repository, bytes, descriptor.mediaType);
  }
  const layers = attachments.map(({ descriptor }) => descriptor);
  const config = Buffer.from(
    JSON.stringify({ rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) }, written: 'elsewhere' }),
  );
  const configDescriptor = await target.pushBlob(repository, config, OCI_CONFIG);
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: configDescriptor, layers };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return (await target.pushManifest(repository, attestationTagOf(subject), bytes, OCI_MANIFEST)).digest;
}

/** As `cosign attest` does: what is listed stays, and these come after it. */
export async function appendAttached(
  target: Target,
  repository: string,
  subject: Digest,
  attachments: readonly Attachment[],
): Promise<Digest> {
  const { layers } = await readAttached(target, repository, subject);
  const before = layers.map((descriptor): Attachment => ({ descriptor }));
  return overwriteAttached(target, repository, subject, [...before, ...attachments]);
}
