import { createPublicKey, X509Certificate } from 'node:crypto';
import { sha256Hex } from '#model/digest.ts';
import { IN_TOTO, SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import type { LogEntryJson } from '#model/witnessed.ts';

/**
 * A signed statement as a Sigstore bundle v0.3 (interop A.3.2, K.1): one signature with an empty keyid, the leaf
 * certificate alone, or the hint of a plain key. The readers are strict, so that no other member may be added.
 */
export function bundleJson(statement: SignedStatement): Uint8Array {
  const { payload, signature, witnessed } = statement;
  const { signatureTimestamps } = witnessed;
  const timestamps = signatureTimestamps.map((response) => ({ signedTimestamp: base64(response) }));
  const bundle = {
    mediaType: SIGSTORE_BUNDLE_V03,
    verificationMaterial: {
      ...signerMaterial(statement),
      tlogEntries: [...witnessed.rekorV1, ...witnessed.rekorV2].map(logEntry),
      ...(timestamps.length === 0 ? {} : { timestampVerificationData: { rfc3161Timestamps: timestamps } }),
    },
    dsseEnvelope: {
      payload: base64(payload),
      payloadType: IN_TOTO,
      signatures: [{ sig: base64(signature), keyid: '' }],
    },
  };
  return new TextEncoder().encode(JSON.stringify(bundle));
}

/** How cosign names a key to look for: the digest of its SPKI in DER. */
export function publicKeyHint(publicKey: string): string {
  const spki = createPublicKey(publicKey).export({ type: 'spki', format: 'der' });
  return Buffer.from(sha256Hex(spki), 'hex').toString('base64');
}

function signerMaterial({ certificate, publicKey }: SignedStatement): Readonly<Record<string, unknown>> {
  if (certificate === undefined) return { publicKey: { hint: publicKeyHint(publicKey) } };
  return { certificate: { rawBytes: base64(new X509Certificate(certificate).raw) } };
}

/** Member by member, in the order of the protocol's definition: what else an entry may carry stays out. */
function logEntry(entry: LogEntryJson): LogEntryJson {
  const { logIndex, logId, kindVersion, integratedTime, inclusionPromise, inclusionProof, canonicalizedBody } = entry;
  return {
    logIndex,
    logId: { keyId: logId.keyId },
    kindVersion: { kind: kindVersion.kind, version: kindVersion.version },
    ...(integratedTime === undefined ? {} : { integratedTime }),
    ...(inclusionPromise ? { inclusionPromise: { signedEntryTimestamp: inclusionPromise.signedEntryTimestamp } } : {}),
    ...(inclusionProof
      ? {
          inclusionProof: {
            logIndex: inclusionProof.logIndex,
            rootHash: inclusionProof.rootHash,
            treeSize: inclusionProof.treeSize,
            hashes: inclusionProof.hashes,
            checkpoint: { envelope: inclusionProof.checkpoint.envelope },
          },
        }
      : {}),
    canonicalizedBody,
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
