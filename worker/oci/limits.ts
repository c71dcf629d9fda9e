/** What a registry may cost us, each with its reason. Bytes and milliseconds. */
export interface RegistryLimits {
  readonly manifestBytes: number;
  readonly tagPageBytes: number;
  readonly tagPages: number;
  readonly referrerPages: number;
  readonly indexAttempts: number;
  readonly errorBytes: number;
  readonly tokenBytes: number;
  readonly callMs: number;
  readonly blobBaseMs: number;
  readonly blobBytesPerSecond: number;
  readonly redirects: number;
  readonly tokenMs: number;
  readonly cachedTokens: number;
}

export const REGISTRY_LIMITS: RegistryLimits = {
  // The size that every registry must take and most refuse to exceed (OCI distribution-spec, "Pushing manifests").
  manifestBytes: 4 * 1024 * 1024,
  // A thousand tags of 128 characters, as JSON, with room for registries that ignore the page size.
  tagPageBytes: 4 * 1024 * 1024,
  // A million tags at a thousand a page.
  tagPages: 1000,
  // A thousand referrers, in pages of ten at the least.
  referrerPages: 100,
  // Each is a read, a write and a read again; writers that do not wait for each other hold the index for milliseconds.
  indexAttempts: 8,
  errorBytes: 16 * 1024,
  // Tokens of cloud registries are some KiB; they must fit into a request header.
  tokenBytes: 64 * 1024,
  // One whole exchange of small bodies: a manifest, a page, an upload of evidence.
  callMs: 60_000,
  // A blob may take this and a second for every 32 KiB: slower is a server that holds the worker.
  blobBaseMs: 60_000,
  blobBytesPerSecond: 32 * 1024,
  // Registry to storage to content network; more is a loop.
  redirects: 3,
  tokenMs: 20_000,
  cachedTokens: 1000,
};
