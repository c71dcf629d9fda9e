import { createPublicKey } from 'node:crypto';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { sha256Hex } from '#model/digest.ts';

/** What a file pins of a signer: its own certificate or key, or the CA above it. */
export type PinnedPart = 'certificate' | 'intermediate' | 'root' | 'public key';

/** Fingerprints by which parts of a signer are found again. */
export type PartsByFingerprint = ReadonlyMap<string, PinnedPart>;

const BLOCK = /-----BEGIN (CERTIFICATE|PUBLIC KEY)-----([\sA-Za-z0-9+/=\\]*?)-----END \1-----/g;

/** Certificates and keys in a trusted_root.json: DER in base64. */
const RAW = /"rawBytes"\s*:\s*"([A-Za-z0-9+/=]{64,})"/g;

/** The parts that a text holds, in PEM however it is indented or escaped, or as a trusted root writes them. */
export function mentionedParts(text: string, parts: PartsByFingerprint): readonly PinnedPart[] {
  const found = new Set<PinnedPart>();
  for (const [, label = '', body = ''] of text.matchAll(BLOCK)) {
    const part = parts.get(fingerprintOf(label, body) ?? '');
    if (part !== undefined) found.add(part);
  }
  for (const [, base64 = ''] of text.matchAll(RAW)) {
    const part = parts.get(sha256Hex(Buffer.from(base64, 'base64')));
    if (part !== undefined) found.add(part);
  }
  return [...found];
}

/** Undefined for a block that is damaged: whoever uses the file says so. */
function fingerprintOf(label: string, body: string): string | undefined {
  const base64 = body.replace(/\\[nrt]|\s|\\/g, '');
  const pem = `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
  try {
    return label === 'CERTIFICATE'
      ? parseCertificates(pem)[0]?.fingerprint
      : publicKeyFingerprint(createPublicKey(pem));
  } catch {
    return undefined;
  }
}
