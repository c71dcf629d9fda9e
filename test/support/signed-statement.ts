import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { pae } from '#crypto/dsse.ts';
import { type Digest, digestHex, sha256 } from '#model/digest.ts';
import { IN_TOTO, STATEMENT_V1 } from '#model/media-types.ts';
import type { SignedImage } from '#model/signed-image.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import { type LogEntryJson, UNWITNESSED, type Witnessed } from '#model/witnessed.ts';
import { imageSignature } from './image-signature.ts';

export const EXAMPLE_TYPE = 'https://example.org/type/v1';

/** An in-toto statement about `digest`, signed for good; `text` makes it one of its own. */
export function signedStatement(
  key: KeyObject,
  digest: Digest,
  text: string,
  more: Partial<SignedStatement> = {},
): SignedStatement {
  const statement = {
    _type: STATEMENT_V1,
    subject: [{ name: 'registry.test/team/app', digest: { sha256: digestHex(digest) } }],
    predicateType: EXAMPLE_TYPE,
    predicate: { text },
  };
  const payload = Buffer.from(JSON.stringify(statement));
  const signature = sign('sha256', pae(IN_TOTO, payload), key);
  const envelope = {
    payloadType: IN_TOTO,
    payload: payload.toString('base64'),
    signatures: [{ keyid: '', sig: signature.toString('base64') }],
  };
  const published = { fingerprint: 'aa', publicKey: publicKeyOf(key), witnessed: UNWITNESSED };
  const stored = Buffer.from(JSON.stringify(envelope));
  return { envelope: stored, payload, signature, predicateType: EXAMPLE_TYPE, ...published, ...more };
}

/** An image signature in cosign's older form, signed for good. */
export function signedImage(key: KeyObject, image: Digest, more: Partial<SignedImage> = {}): SignedImage {
  const { bytes } = imageSignature(key, { image });
  const published = { fingerprint: 'aa', publicKey: publicKeyOf(key), witnessed: UNWITNESSED };
  return { payload: bytes, signature: sign('sha256', bytes, key), ...published, ...more };
}

/** What witnesses of every kind gave; nothing of it is signed. */
export const WITNESSED: Witnessed = {
  rekorV1: [logEntry(1, true)],
  rekorV2: [logEntry(2, false)],
  signatureTimestamps: [Buffer.from('over the signature')],
  envelopeTimestamps: [Buffer.from('over the envelope')],
};

function logEntry(version: 1 | 2, promised: boolean): LogEntryJson {
  return {
    logIndex: `${version}23`,
    logId: { keyId: Buffer.from(digestHex(sha256(`log ${version}`)), 'hex').toString('base64') },
    kindVersion: { kind: version === 1 ? 'dsse' : 'hashedrekord', version: `0.0.${version}` },
    ...(promised
      ? {
          integratedTime: '1750000000',
          inclusionPromise: { signedEntryTimestamp: Buffer.from('SET').toString('base64') },
        }
      : {}),
    inclusionProof: {
      logIndex: '23',
      rootHash: Buffer.from('root').toString('base64'),
      treeSize: '24',
      hashes: [Buffer.from('hash').toString('base64')],
      checkpoint: { envelope: 'log.example\n24\n' },
    },
    canonicalizedBody: Buffer.from(`body ${version}`).toString('base64'),
  };
}

function publicKeyOf(key: KeyObject): string {
  return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}
