import type { CloudContext } from '#cloud/context.ts';
import type { Secret } from '#model/secret.ts';

/** What a key service or token is opened with. */
export interface KeyServiceContext extends CloudContext {
  /** PIN of a token. */
  readonly pin?: Secret;
}
