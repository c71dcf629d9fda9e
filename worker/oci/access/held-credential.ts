import type { Pass } from '#cloud/held-token.ts';
import { holdToken } from '#cloud/held-token.ts';
import { AppError } from '#model/errors.ts';
import { asRegistryError } from '#oci/access/as-registry-error.ts';
import type { Credential, CredentialSource } from '#oci/credentials.ts';

export interface HeldCredentialOptions {
  /** The registry's name, for messages. */
  readonly registry: string;
  /** Asks the cloud. Without a signal of its own, since many may be waiting for the same answer. */
  readonly fetch: () => Promise<Pass<Credential>>;
  readonly now: () => Date;
  /** From 0 to 1: how much earlier than it must be this one is renewed. */
  readonly spread: () => number;
}

/** A credential that a cloud gives for some hours: got at the first login, kept, and renewed before its end. */
export function heldCredential({ registry, fetch, now, spread }: HeldCredentialOptions): CredentialSource {
  const held = holdToken(fetch, now, spread);
  let last: Credential | undefined;
  return {
    async get(_registryAddress, signal) {
      try {
        last = await orAborted(held.get(), signal);
        return last;
      } catch (error) {
        throw asRegistryError(`no credentials for ${registry}`, error);
      }
    },
    invalidate() {
      if (last) held.drop(last);
    },
  };
}

/** Who is aborted stops waiting, and the others get their token. */
async function orAborted<T>(flight: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await flight;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () =>
    reject(new AppError('canceled', 'waiting for credentials was canceled', { cause: signal.reason }));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([flight, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
