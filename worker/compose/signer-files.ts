import type { Outbound } from '#compose/outbound.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { KeyRing } from '#signing/keys/key-ring.ts';
import type { Attestor } from '#verification/attestor.ts';

/** What signers and their witnesses are made from. */
export interface SignerFiles {
  readonly secrets: SecretResolver;
  readFile(path: string): Promise<Buffer>;
  now(): Date;
  randomBytes(count: number): Uint8Array;
  readonly outbound: Outbound;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opens the keys of fixed signers. */
  readonly keys: KeyRing;
  /** The configured trusts: the CA of a keyless signer is one. */
  readonly trusts: ReadonlyMap<string, Attestor>;
}
