import type { Pass } from '#cloud/held-token.ts';
import { holdToken } from '#cloud/held-token.ts';
import { AppError, type ErrorCode } from '#model/errors.ts';
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
        throw asRegistryError(registry, error);
      }
    },
    invalidate() {
      if (last) held.drop(last);
    },
  };
}

/** What is wrong at the door of a cloud is, for whoever wants the registry, wrong at the registry. */
const CODES: Partial<Readonly<Record<ErrorCode, { readonly code: ErrorCode; readonly mend: string }>>> = {
  'key-unauthorized': {
    code: 'registry-unauthorized',
    mend: 'check the identity of this workload: see the guide on access to registries',
  },
  'key-credentials-expired': {
    code: 'credentials-unavailable',
    mend: 'let whatever issues the identity of this workload renew it; it is tried again later',
  },
  'key-refused': {
    code: 'registry-unauthorized',
    mend: 'grant this identity the right to log in to the registry: see the guide on access to registries',
  },
  'key-unavailable': { code: 'registry-unavailable', mend: 'nothing: it is tried again later' },
  'key-throttled': { code: 'registry-throttled', mend: 'nothing: it is tried again later' },
  'key-protocol': {
    code: 'registry-protocol',
    mend: 'check that the address is that of the service itself, and that nothing between changes its answers',
  },
};

function asRegistryError(registry: string, error: unknown): unknown {
  if (!(error instanceof AppError)) return error;
  const { code, message, mend, field, retryAfterMs } = error;
  const known = CODES[code] ?? { code, mend };
  return new AppError(known.code, `no credentials for ${registry}: ${message}`, {
    cause: error,
    ...(known.mend === undefined ? {} : { mend: known.mend }),
    ...(field === undefined ? {} : { field }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
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
