/** One signed in-toto statement, ready for any layout. */
export interface SignedStatement {
  /** The DSSE envelope exactly as it will be stored; later hashes cover these bytes. */
  readonly envelope: Uint8Array;
  readonly payload: Uint8Array;
  readonly predicateType: string;
  /** SHA-256 (hex) of the leaf's DER, or of the SPKI of a plain key. */
  readonly fingerprint: string;
  /** PEM of the leaf; absent for a plain key. */
  readonly certificate?: string;
  /** PEM of intermediates then root; absent for a plain key. */
  readonly chain?: string;
}
