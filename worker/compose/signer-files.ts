import type { Outbound } from '#compose/outbound.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { Attestor } from '#verification/attestor.ts';

/** What signers and their witnesses are made from. */
export interface SignerFiles {
  readonly secrets: SecretResolver;
  readFile(path: string): Promise<Buffer>;
  now(): Date;
  randomBytes(count: number): Uint8Array;
  readonly outbound: Outbound;
  /** The configured trusts: the CA of a keyless signer is one. */
  readonly trusts: ReadonlyMap<string, Attestor>;
}
