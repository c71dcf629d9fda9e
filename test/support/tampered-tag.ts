import type { Digest } from '#model/digest.ts';
import { COSIGN_CERTIFICATE, DSSE_ENVELOPE } from '#model/media-types.ts';
import type { Target } from '#oci/target.ts';

interface Layer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** What becomes of one layer; a member that is absent stays as it is. */
export interface Change {
  readonly payload?: (bytes: Buffer) => Buffer;
  readonly signature?: (bytes: Buffer) => Buffer;
  /** The DER of the certificate annotation. */
  readonly certificate?: (der: Buffer) => Buffer;
}

/** One bit of the last byte. */
export function flipLast(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
}

/** One digit of the first digest in the text becomes another one: it still is a statement. */
export function flipDigestDigit(bytes: Buffer): Buffer {
  const at = /[0-9a-f]{64}/.exec(bytes.toString('latin1'))?.index ?? 0;
  const changed = Buffer.from(bytes);
  changed[at] = bytes[at] === 0x30 ? 0x31 : 0x30;
  return changed;
}

/** Rewrites an attestation tag with every layer changed, as somebody who may push to the registry could. */
export async function rewriteTag(target: Target, repository: string, tag: string, change: Change): Promise<void> {
  const stored = await target.manifest(repository, tag);
  const manifest = JSON.parse(Buffer.from(stored.bytes).toString('utf8'));
  const layers: Layer[] = [];
  for (const layer of manifest.layers as readonly Layer[]) {
    const envelope = await readEnvelope(target, repository, layer);
    const bytes = Buffer.from(JSON.stringify(changeEnvelope(envelope, change)));
    const { digest, size } = await target.pushBlob(repository, bytes, DSSE_ENVELOPE);
    layers.push({ ...layer, digest, size, annotations: changeCertificate(layer.annotations, change) });
  }
  const bytes = Buffer.from(JSON.stringify({ ...manifest, layers }));
  await target.pushManifest(repository, tag, bytes, stored.descriptor.mediaType);
}

async function readEnvelope(target: Target, repository: string, layer: Layer): Promise<Envelope> {
  const chunks: Buffer[] = [];
  for await (const chunk of await target.blob(repository, layer)) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function changeEnvelope({ payloadType, payload, signatures }: Envelope, change: Change): Envelope {
  return {
    payloadType,
    payload: changeBase64(payload, change.payload),
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig: changeBase64(sig, change.signature) })),
  };
}

function changeCertificate(annotations: Layer['annotations'], { certificate }: Change): Layer['annotations'] {
  const pem = annotations[COSIGN_CERTIFICATE];
  if (pem === undefined || certificate === undefined) return annotations;
  const body = changeBase64(pem.replace(/-----[^-]+-----|\s/g, ''), certificate);
  const lines = body.match(/.{1,64}/g) ?? [];
  const changed = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
  return { ...annotations, [COSIGN_CERTIFICATE]: changed };
}

function changeBase64(text: string, change: ((bytes: Buffer) => Buffer) | undefined): string {
  return change === undefined ? text : change(Buffer.from(text, 'base64')).toString('base64');
}
