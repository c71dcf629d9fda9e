import type { KeyObject } from 'node:crypto';
import { type SignatureHash, verifySignature } from '#crypto/dsse.ts';
import type { Digest } from '#model/digest.ts';
import type { EvidenceDefect, RawEvidence, SimpleSigning, Statement } from '#model/evidence.ts';
import type { LoggedSignature } from '#verification/log-entry.ts';
import { imageDefect, openImageSignature, readSimpleSigning } from '#verification/simple-signing.ts';
import { type Profile, parseStatement } from '#verification/statement.ts';
import { subjectDefect } from '#verification/statement-subject.ts';
import { isSignedBy, openEnvelope } from '#verification/verify-envelope.ts';

/** What stands in a layer, whichever of cosign's two forms it has: the parts that the verifier asks for. */
export interface SignedContent {
  readonly payload: Uint8Array;
  readonly logged: Omit<LoggedSignature, 'key' | 'verifierDer'>;
  /** What a timestamp may be over (interop specification A.1.5): any of them. */
  readonly stamped: readonly Uint8Array[];
  isSignedBy(key: KeyObject, hash: SignatureHash | undefined): boolean;
  /** Reads what was signed; asked only once the signature is known to be good. */
  read(digest: Digest): SignedClaim;
}

/** What was signed, and why it is no good. */
export interface SignedClaim {
  readonly statement?: Statement;
  readonly signing?: SimpleSigning;
  readonly defect?: EvidenceDefect | undefined;
}

export type OpenedContent =
  | { readonly ok: true; readonly content: SignedContent }
  | { readonly ok: false; readonly defect: EvidenceDefect };

/** Opens a layer: an attestation is a DSSE envelope, an image signature a payload with its signature beside it. */
export function openContent(raw: RawEvidence, bytes: Uint8Array, profile: Profile): OpenedContent {
  return raw.kind === 'image-signature' ? openSignature(raw, bytes) : openAttestation(bytes, profile);
}

function openAttestation(bytes: Uint8Array, profile: Profile): OpenedContent {
  const opened = openEnvelope(bytes, profile);
  if (!opened.ok) return opened;
  const { envelope } = opened;
  const signatures = envelope.signatures.map(({ signature }) => signature);
  return {
    ok: true,
    content: {
      payload: envelope.payload,
      logged: { bytes, envelope: { payload: envelope.payload, signatures } },
      // The strict reading also takes the imprint that cosign 3 makes of an attestation, and cannot verify itself.
      stamped: profile === 'strict' ? [bytes, ...signatures.slice(0, 1)] : [bytes],
      isSignedBy: (key, hash) => isSignedBy(envelope, key, profile, hash),
      read(digest) {
        const reading = parseStatement(envelope.payload, profile);
        if (!reading.ok) return { defect: reading.defect };
        return { statement: reading.statement, defect: subjectDefect(reading.statement, digest) };
      },
    },
  };
}

function openSignature(raw: RawEvidence, bytes: Uint8Array): OpenedContent {
  const opened = openImageSignature(raw);
  if (!opened.ok) return opened;
  const { base64, signature } = opened.value;
  return {
    ok: true,
    content: {
      payload: bytes,
      logged: { bytes, signature: base64 },
      stamped: [signature],
      isSignedBy: (key, hash) => verifySignature(key, bytes, signature, hash),
      read(digest) {
        const reading = readSimpleSigning(bytes);
        if (!reading.ok) return { defect: reading.defect };
        return { signing: reading.signing, defect: imageDefect(reading.signing, digest) };
      },
    },
  };
}
