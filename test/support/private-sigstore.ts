import { createHash, type KeyObject, sign } from 'node:crypto';
import { pae } from '#crypto/dsse.ts';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { noteKeyId } from '#crypto/log-key.ts';
import { sha256, sha256Hex } from '#model/digest.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { IN_TOTO, SIGSTORE_BUNDLE_V03 } from '#model/media-types.ts';
import { oid, sequence } from './der.ts';
import { createFulcioCa } from './fulcio-ca.ts';
import { caDefaults, EKU, extension, type Issued, issueFrom, makePki, pemOf, selfSigned } from './pki.ts';
import { LOCATION, statementOf } from './signed-evidence.ts';
import { canonicalJson, createSignedLog } from './signed-log.ts';
import { timestampResponse } from './timestamp.ts';

/** What is put into a bundle; everything is true unless it is bent afterwards. */
export interface BundleSpec {
  /** Who signs; a plain key where `plain` is true. */
  readonly signer?: Issued;
  readonly plain?: boolean;
  /** Logs in this order; default: Rekor v1. */
  readonly logs?: readonly ('v1' | 'v2')[];
  readonly integratedTime?: Date;
  /** Time of a timestamp; absent: none. */
  readonly stamped?: Date;
  readonly payload?: string;
  readonly hash?: 'sha256' | 'sha384' | 'sha512';
  readonly mediaType?: string;
}

export const LOGGED_AT = new Date('2024-03-01T00:00:00Z');

/**
 * A private Sigstore without servers: CA, certificate log, transparency logs of both versions, timestamp authority, and
 * the trusted root that names them. All signatures and proofs are real.
 */
export function createPrivateSigstore() {
  const pki = makePki();
  const fulcio = createFulcioCa(pki);
  const signer = fulcio.issue();
  const stampRoot = selfSigned({ subject: 'Test Clock Root', ...caDefaults() });
  const timeStamping = extension('2.5.29.37', sequence(oid(EKU.timeStamping)), true);
  const clock = issueFrom(stampRoot, {
    subject: 'Test Clock',
    extendedKeyUsage: null,
    subjectAlternativeNames: null,
    extensions: [timeStamping],
  });
  const rekorV1 = createSignedLog('ec', 'rekor.attestry.test - 7');
  const rekorV2 = createSignedLog('ed25519', 'rekor2.attestry.test');
  // Others log too: a proof has hashes.
  for (let at = 0; at < 5; at++) {
    rekorV1.append(Buffer.from(`another entry ${at}`));
    rekorV2.append(Buffer.from(`another entry ${at}`));
  }
  return {
    pki,
    fulcio,
    signer,
    clock,
    stampRoot,
    rekorV1,
    rekorV2,
    trustedRoot,
    bundle,
    raw: (spec: BundleSpec = {}) => rawBundle(bundle(spec)),
  };

  /** A bundle as JSON, to be bent by tests. */
  function bundle(spec: BundleSpec = {}) {
    const { signer: by = signer, plain = false, logs = ['v1'], hash = 'sha256' } = spec;
    const payload = Buffer.from(spec.payload ?? JSON.stringify(statementOf()));
    const signed = pae(IN_TOTO, payload);
    const signature = sign(by.key.asymmetricKeyType === 'ed25519' ? null : hash, signed, by.key);
    const made: Made = { by, plain, payload, signed, signature };
    const stamps = spec.stamped ? [timestampResponse(signature, { signers: [clock], time: spec.stamped })] : [];
    return {
      mediaType: spec.mediaType ?? SIGSTORE_BUNDLE_V03,
      verificationMaterial: {
        ...(plain ? { publicKey: { hint: 'a hint' } } : { certificate: { rawBytes: by.der.toString('base64') } }),
        tlogEntries: logs.map((version) => (version === 'v1' ? entryV1(made, spec) : entryV2(made))),
        ...(stamps.length > 0
          ? {
              timestampVerificationData: {
                rfc3161Timestamps: stamps.map((der) => ({ signedTimestamp: der.toString('base64') })),
              },
            }
          : {}),
      },
      dsseEnvelope: {
        payload: payload.toString('base64'),
        payloadType: IN_TOTO,
        signatures: [{ sig: signature.toString('base64'), keyid: '' }],
      },
    };
  }

  function entryV1(made: Made, { integratedTime = LOGGED_AT }: BundleSpec) {
    const { by, plain, payload, signature } = made;
    const verifier = plain ? publicPem(by.publicKey) : by.pem;
    const envelope = {
      payloadType: IN_TOTO,
      payload: payload.toString('base64'),
      signatures: [{ keyid: '', sig: signature.toString('base64') }],
    };
    const body = canonicalJson({
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        envelopeHash: { algorithm: 'sha256', value: sha256Hex(JSON.stringify(envelope)) },
        payloadHash: { algorithm: 'sha256', value: sha256Hex(payload) },
        signatures: [{ signature: signature.toString('base64'), verifier: Buffer.from(verifier).toString('base64') }],
      },
    });
    const { index } = rekorV1.append(Buffer.from(body));
    const logID = publicKeyFingerprint(rekorV1.publicKey);
    const seconds = Math.floor(integratedTime.getTime() / 1000);
    // The index of the whole log differs from that of its newest tree.
    const logIndex = index + 1000;
    const promised = canonicalJson({
      body: Buffer.from(body).toString('base64'),
      integratedTime: seconds,
      logID,
      logIndex,
    });
    return {
      ...entry(rekorV1, index, 'dsse', '0.0.1', logID),
      logIndex: String(logIndex),
      integratedTime: String(seconds),
      inclusionPromise: { signedEntryTimestamp: rekorV1.sign(Buffer.from(promised)).toString('base64') },
    };
  }

  function entryV2({ by, plain, signed, signature }: Made) {
    const rawBytes = plain
      ? { publicKey: { rawBytes: by.publicKey.export({ type: 'spki', format: 'der' }).toString('base64') } }
      : { x509Certificate: { rawBytes: by.der.toString('base64') } };
    const body = canonicalJson({
      apiVersion: '0.0.2',
      kind: 'hashedrekord',
      spec: {
        hashedRekordV002: {
          data: { algorithm: 'SHA2_256', digest: createHash('sha256').update(signed).digest('base64') },
          signature: {
            content: signature.toString('base64'),
            verifier: { keyDetails: 'PKIX_ECDSA_P256_SHA_256', ...rawBytes },
          },
        },
      },
    });
    const { index } = rekorV2.append(Buffer.from(body));
    return entry(rekorV2, index, 'hashedrekord', '0.0.2', noteKeyId('rekor2.attestry.test', rekorV2.publicKey));
  }

  function trustedRoot() {
    const validFor = { start: '2019-01-01T00:00:00Z' };
    const log = (baseUrl: string, key: KeyObject, keyId: string) => ({
      baseUrl,
      hashAlgorithm: 'SHA2_256',
      publicKey: {
        rawBytes: key.export({ type: 'spki', format: 'der' }).toString('base64'),
        keyDetails: key.asymmetricKeyType === 'ec' ? 'PKIX_ECDSA_P256_SHA_256' : 'PKIX_ED25519',
        validFor,
      },
      logId: { keyId: Buffer.from(keyId, 'hex').toString('base64') },
    });
    const authority = (uri: string, chain: readonly Issued[]) => ({
      subject: { organization: 'attestry.test', commonName: 'test' },
      uri,
      certChain: { certificates: chain.map(({ der }) => ({ rawBytes: der.toString('base64') })) },
      validFor,
    });
    return {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [
        log('https://rekor.attestry.test', rekorV1.publicKey, publicKeyFingerprint(rekorV1.publicKey)),
        log('https://rekor2.attestry.test', rekorV2.publicKey, noteKeyId('rekor2.attestry.test', rekorV2.publicKey)),
      ],
      certificateAuthorities: [authority('https://fulcio.attestry.test', [pki.intermediate, pki.root])],
      ctlogs: [log('https://ctlog.attestry.test', fulcio.publicKey, publicKeyFingerprint(fulcio.publicKey))],
      timestampAuthorities: [authority('https://clock.attestry.test', [clock, stampRoot])],
    };
  }
}

interface Made {
  readonly by: Issued;
  readonly plain: boolean;
  readonly payload: Buffer;
  readonly signed: Buffer;
  readonly signature: Buffer;
}

function entry(log: ReturnType<typeof createSignedLog>, index: number, kind: string, version: string, logId: string) {
  return {
    logIndex: String(index),
    logId: { keyId: Buffer.from(logId, 'hex').toString('base64') },
    kindVersion: { kind, version },
    inclusionProof: {
      logIndex: String(index),
      rootHash: log.root().toString('base64'),
      treeSize: String(log.leaves.length),
      hashes: log.path(index).map((hash) => hash.toString('base64')),
      checkpoint: { envelope: log.checkpoint() },
    },
    canonicalizedBody: log.leaves[index]?.toString('base64') ?? '',
  };
}

/** A bundle as the storage room reads it. */
export function rawBundle(json: unknown): RawEvidence {
  const bytes = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json));
  return {
    location: LOCATION,
    layout: 'bundle',
    manifestDigest: sha256('a manifest'),
    descriptor: { mediaType: SIGSTORE_BUNDLE_V03, digest: sha256(bytes), size: bytes.length },
    bytes,
  };
}

function publicPem(key: KeyObject): string {
  return pemOf(key.export({ type: 'spki', format: 'der' }), 'PUBLIC KEY');
}
