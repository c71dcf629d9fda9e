/** An entry of a transparency log in the JSON form of a Sigstore bundle (protobuf-specs, TransparencyLogEntry). */
export interface LogEntryJson {
  /** 64-bit integers are text in the JSON mapping of protobuf. */
  readonly logIndex: string;
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: string; readonly version: string };
  /** Seconds since 1970. Rekor v2 gives none: its entries are no time evidence. */
  readonly integratedTime?: string;
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string };
  readonly inclusionProof?: {
    readonly logIndex: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes: readonly string[];
    readonly checkpoint: { readonly envelope: string };
  };
  /** Base64 of the body as the log hashed it. */
  readonly canonicalizedBody: string;
}

/** What witnesses gave for one signature. The signature is one; what proves its time differs by layout (interop K.1). */
export interface Witnessed {
  /** Entries of Rekor v1 (both layouts): they cover the stored envelope. */
  readonly rekorV1: readonly LogEntryJson[];
  /** Entries of Rekor v2 (bundles alone). */
  readonly rekorV2: readonly LogEntryJson[];
  /** RFC 3161 responses in DER over the bytes of the signature: what a bundle carries. */
  readonly signatureTimestamps: readonly Uint8Array[];
  /** RFC 3161 responses in DER over the stored envelope: what a legacy attestation carries. */
  readonly envelopeTimestamps: readonly Uint8Array[];
}

export const UNWITNESSED: Witnessed = {
  rekorV1: [],
  rekorV2: [],
  signatureTimestamps: [],
  envelopeTimestamps: [],
};
