import type { Secret } from '#model/secret.ts';

/** Where identity tokens come from. */
export interface IdentityProvider {
  /** In messages, e.g. `the file /var/run/secrets/tokens/sigstore`. */
  readonly source: string;
  /** What the subject of its tokens begins with; absent: anything. */
  readonly subjectPrefix?: string;
  /**
   * A token, read or fetched anew at each call: those that are mounted are rotated under our feet.
   * @throws AppError `identity-token-unavailable`, `identity-token-throttled`, `network`, `timeout`.
   */
  token(signal?: AbortSignal): Promise<Secret>;
}
