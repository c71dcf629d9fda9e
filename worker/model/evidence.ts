import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestTag } from '#model/digest.ts';
import { formatRepositoryRef, type RepositoryRef } from '#model/image-ref.ts';

/**
 * Where the evidence of one subject lives: the unit of writing. One digest in two image repositories with one evidence
 * repository is one location, so it has one writer.
 */
export interface EvidenceLocation extends RepositoryRef {
  /** The subject's digest. */
  readonly digest: Digest;
}

/** The key of a location: what locks, records and messages call it. */
export function locationKey(location: EvidenceLocation): string {
  return `${formatRepositoryRef(location)}@${location.digest}`;
}

/** The cosign tag of a location's attestations: `sha256-<hex>.att`. */
export function attestationTag(location: EvidenceLocation): string {
  return digestTag(location.digest, '.att');
}

/** The cosign tag of a location's image signatures: `sha256-<hex>.sig`. */
export function signatureTag(location: EvidenceLocation): string {
  return digestTag(location.digest, '.sig');
}

/** The two ways to store evidence beside an image (interop A.1, A.3). */
export type EvidenceLayout = 'cosign-tag' | 'bundle';

/** One stored piece of evidence as found: bytes and labels, nothing believed yet. */
export interface RawEvidence {
  readonly location: EvidenceLocation;
  /**
   * `cosign-tag`: a layer of cosign's tag, bytes are the DSSE envelope (or the simple signing payload).
   * `bundle`: a Sigstore bundle in an OCI 1.1 referrer, bytes are the bundle's JSON.
   */
  readonly layout: EvidenceLayout;
  /** What the layer is by the tag that lists it; absent: an attestation. */
  readonly kind?: 'image-signature';
  /** Digest of the manifest that lists it: that of the tag, or the referrer's own. */
  readonly manifestDigest: Digest;
  readonly descriptor: Descriptor;
  /** Absent when the manifest lists the blob but the registry does not hold it. */
  readonly bytes?: Uint8Array;
}

/** Who signed, as the evidence shows it. */
export interface EvidenceSigner {
  /** SHA-256 of the DER certificate, or of the SPKI of a plain key. */
  readonly fingerprint: string;
  readonly subject?: string;
  readonly issuer?: string;
  /** URI and e-mail names of the certificate. */
  readonly subjectAlternativeNames: readonly string[];
  /** ISO 8601. */
  readonly notAfter?: string;
}

/** One subject of a statement (in-toto, ResourceDescriptor), as far as it is read. */
export interface StatementSubject {
  readonly name?: string;
  readonly digest: Readonly<Record<string, string>>;
  /** Claims of the signer; cosign 3 keeps those of an image signature here. */
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** An in-toto Statement, as parsed from a payload that passed the strict reader. */
export interface Statement {
  readonly _type: string;
  readonly subject: readonly StatementSubject[];
  readonly predicateType: string;
  readonly predicate?: unknown;
}

/** What an image signature in cosign's form says (its payload is called simple signing). */
export interface SimpleSigning {
  /** `sha256:<hex>` as the payload writes it. */
  readonly image: string;
  /** Members of `optional`: claims of the signer. */
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** What a certificate says of its holder, as far as policies ask for it. */
export interface CertificateClaims {
  /** The one name that stands for the holder where a single one is compared: its first URI, else e-mail address, else Fulcio's own form. */
  readonly holder?: string;
  /** Every alternative name: host names, e-mail addresses, IP addresses, URIs, Fulcio's own form. */
  readonly alternativeNames: readonly string[];
  /** Values of Fulcio's extensions of the first form (1.3.6.1.4.1.57264.1.1 to .6) by OID. */
  readonly extensions: Readonly<Record<string, string>>;
  /** Who vouched for the holder: Fulcio's extension .1.8, else .1.1; empty when neither is there. */
  readonly issuer: string;
}

/** A piece of evidence after it was judged under one attestor: what it says, who signed it, whether it holds. */
export interface Evidence {
  readonly raw: RawEvidence;
  readonly payloadDigest?: Digest;
  /** Of an attestation. */
  readonly statement?: Statement;
  /** Of an image signature. */
  readonly signing?: SimpleSigning;
  readonly signer?: EvidenceSigner;
  /** Of the certificate that came with it, whether or not it is the signer's. */
  readonly claims?: CertificateClaims;
  /** `true`, or why not: a checked fact, never an error. */
  readonly held: true | EvidenceDefect;
}

export interface EvidenceDefect {
  readonly code: DefectCode;
  readonly message: string;
}

/** Why a piece of evidence does not hold. */
export const DEFECTS = {
  'blob-missing': 'The manifest lists the blob but the registry does not hold it.',
  'blob-digest': 'The bytes do not hash to the digest that lists them.',
  'layer-too-large': 'The layer is larger than verifiers are told to read.',
  'bundle-malformed': 'The bytes are no Sigstore bundle, or one that its version does not allow.',
  'envelope-malformed': 'The bytes are no DSSE envelope.',
  'payload-type': 'The envelope carries another payload type than in-toto.',
  'signature-missing': 'The envelope carries no signature, or the layer lacks its signature annotation.',
  'signature-invalid': 'No signature of the envelope verifies with the key.',
  'signer-kind': 'A certificate came with the evidence and a plain key is wanted.',
  'certificate-missing': 'The layer carries no certificate.',
  'certificate-malformed': 'The certificate or chain annotation cannot be read.',
  'chain-untrusted': 'The certificate does not chain to a trusted CA.',
  'certificate-expired': 'The certificate was not valid at the time that counts.',
  'certificate-revoked': 'The CA has revoked the certificate.',
  'certificate-profile': 'The certificate breaks the code signing profile.',
  'identity-mismatch': 'The certificate names another identity than the one wanted.',
  'log-entry-missing': 'No transparency log entry, and the policy requires one.',
  'log-entry-invalid': 'The transparency log entry is not about this signature, or of no known log.',
  'timestamp-invalid': 'The timestamp of an authority does not hold.',
  'timestamp-missing': 'Fewer witnesses than required tell when the signature was made.',
  'sct-invalid': 'The certificate timestamp (SCT) does not hold.',
  'sct-missing': 'No certificate timestamp (SCT), and the policy requires one.',
  'statement-malformed': 'The payload is no in-toto Statement by the strict reading.',
  'subject-mismatch': 'The statement is about another image.',
  'predicate-type': 'The statement is of another type than the one wanted.',
} as const;

export type DefectCode = keyof typeof DEFECTS;

/** What a rule's `when` is held against. */
export interface SignedFor {
  readonly source: string;
  readonly actor?: string | undefined;
  readonly tag?: string | undefined;
}

/** What we once wrote to a location: enough to list the same blobs again without signing. */
export interface WrittenEvidence {
  /** Absent: `cosign-tag`. */
  readonly layout?: EvidenceLayout | undefined;
  /** The layer descriptor, annotations included, exactly as written; of a bundle with those of its manifest. */
  readonly descriptor: Descriptor;
  /** Digest of the referrer that lists a bundle. */
  readonly manifest?: Digest | undefined;
  readonly payloadDigest: Digest;
  readonly predicateType: string;
  /** Fingerprint of the signing certificate or key. */
  readonly signer: string;
  readonly rule: string;
  /** The push that it was signed for, as the rule's `when` was asked of it; absent where none was. */
  readonly signedFor?: SignedFor | undefined;
  /** ISO 8601. */
  readonly writtenAt: string;
  /** Put down before the PUT; absent once that is known to stand. */
  readonly pending?: true | undefined;
  /** Another bundle took its place, and it is to be deleted where the registry lets us. */
  readonly superseded?: true | undefined;
}
