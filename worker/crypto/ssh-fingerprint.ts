import { createHash, type KeyObject } from 'node:crypto';

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'nistp256', 'P-384': 'nistp384', 'P-521': 'nistp521' };

/**
 * `SHA256:…` of a public key as OpenSSH prints it: what sigstore-go wants a DSSE `keyid` to be, where there is one
 * (interop specification K.1, 1). Undefined for kinds of keys that OpenSSH does not have.
 */
export function sshFingerprint(key: KeyObject): string | undefined {
  const { kty, crv = '', x = '', y = '', n = '', e = '' } = key.export({ format: 'jwk' });
  const field = (base64url: string) => Buffer.from(base64url, 'base64url');
  const curve = CURVES[crv];
  if (kty === 'EC' && curve !== undefined) {
    const point = Buffer.concat([Buffer.from([4]), field(x), field(y)]);
    return fingerprint([Buffer.from(`ecdsa-sha2-${curve}`), Buffer.from(curve), point]);
  }
  if (kty === 'RSA') return fingerprint([Buffer.from('ssh-rsa'), positive(field(e)), positive(field(n))]);
  if (kty === 'OKP' && crv === 'Ed25519') return fingerprint([Buffer.from('ssh-ed25519'), field(x)]);
  return undefined;
}

/** The wire form: each part behind its length (RFC 4253, 6.6). */
function fingerprint(parts: readonly Buffer[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    hash.update(length).update(part);
  }
  return `SHA256:${hash.digest('base64').replace(/=+$/, '')}`;
}

/** An mpint whose first bit is set has a zero before it (RFC 4251, 5). */
function positive(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}
