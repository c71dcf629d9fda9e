/** Trust material as it was at one time: bytes that were verified, and until when they may be believed. Never changes. */
export interface TrustMaterial {
  readonly bytes: Uint8Array;
  /** The earliest end of the metadata that vouches for it. */
  readonly expires: Date;
  readonly fetchedAt: Date;
}

/** Where material is kept between two runs. What is read from it is verified again. */
export interface MaterialStore {
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): Promise<void>;
}
