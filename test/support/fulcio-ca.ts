import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { derReader, TAG } from '#crypto/der.ts';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { octets, utf8 } from './der.ts';
import { type CertificateSpec, extension, type Issued, issueFrom, makeKey, type Pki } from './pki.ts';

export const ISSUER = 'https://issuer.attestry.test';

const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2';
const SCT_TIME = new Date('2024-01-01T00:00:00Z');

/** A CA in the manner of Fulcio: names the issuer of the identity, and logs each certificate before it is issued. */
export function createFulcioCa({ intermediate }: Pick<Pki, 'intermediate'>) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = publicKeyFingerprint(publicKey);
  let serial = 0x4000;

  /** A list of one timestamp over the certificate as it is without it (RFC 6962, 3.2 and 3.3). */
  function timestamps(without: Issued): Buffer {
    const tbs = derReader(without.der, 'certificate').enter(TAG.sequence).any().raw;
    const issuerKey = intermediate.publicKey.export({ type: 'spki', format: 'der' });
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(BigInt(SCT_TIME.getTime()));
    const signed = Buffer.concat([
      Buffer.from([0, 0]),
      time,
      Buffer.from([0, 1]),
      createHash('sha256').update(issuerKey).digest(),
      counted(tbs, 3),
      counted(Buffer.alloc(0), 2),
    ]);
    const timestamp = Buffer.concat([
      Buffer.from([0]),
      Buffer.from(id, 'hex'),
      time,
      counted(Buffer.alloc(0), 2),
      Buffer.from([4, 3]),
      counted(sign('sha256', signed, privateKey), 2),
    ]);
    return extension(SCT_LIST, octets(counted(counted(timestamp, 2), 2)));
  }

  return {
    /** Of the certificate log. */
    publicKey,
    issue(spec: CertificateSpec = {}): Issued {
      serial += 1;
      const fulcio = extension('1.3.6.1.4.1.57264.1.8', utf8(ISSUER));
      const fixed = {
        ...spec,
        key: spec.key ?? makeKey(spec.keyKind),
        serial: Buffer.from(serial.toString(16), 'hex'),
      };
      const extensions = [fulcio, ...(spec.extensions ?? [])];
      const without = issueFrom(intermediate, { ...fixed, extensions });
      return issueFrom(intermediate, { ...fixed, extensions: [...extensions, timestamps(without)] });
    },
  };
}

/** A TLS vector: its length, then its bytes. */
function counted(bytes: Uint8Array, width: 2 | 3): Buffer {
  const length = Buffer.alloc(width);
  length.writeUIntBE(bytes.length, 0, width);
  return Buffer.concat([length, bytes]);
}
