import { AppError, toAppError } from '#model/errors.ts';
import type { TrustMaterial } from '#trust/material.ts';
import type { TufRepository } from '#trust/tuf-repository.ts';

/** Material that is fetched again from time to time, and believed until it expires. */
export interface TrustSource {
  /** @throws AppError `trust-unavailable` while there is none that is still valid. */
  current(): TrustMaterial;
  /** Makes material available, without a request where what is kept is young enough; a failure is told, not thrown. */
  open(signal?: AbortSignal): Promise<void>;
  /** Fetches anew where that is due; a failure keeps what there is, and is told. */
  renew(signal?: AbortSignal): Promise<void>;
}

export interface TrustSourceOptions {
  /** Of the trust. */
  readonly id: string;
  /** In messages. */
  readonly name: string;
  readonly repository: TufRepository;
  /** What is wrong with bytes that verified: they are then not taken. @throws AppError */
  check(bytes: Uint8Array): void;
  now(): Date;
  onRefresh?(refresh: TrustRefresh): void;
}

/** How one fetch ended. */
export type TrustRefresh =
  | { readonly kind: 'fetched'; readonly id: string; readonly expires: Date }
  /** `expires`: until when the older material counts; absent: there is none. */
  | { readonly kind: 'failed'; readonly id: string; readonly error: AppError; readonly expires?: Date };

/** Repositories are published weekly to daily. */
const FETCH_EVERY_MS = 24 * 60 * 60_000;
/** After a failure: soon where nothing can be judged meanwhile. */
const RETRY_MS = 10 * 60_000;
const RETRY_WITHOUT_MS = 30_000;

export function createTrustSource(options: TrustSourceOptions): TrustSource {
  const { id, name, repository, check, now } = options;
  let material: TrustMaterial | undefined;
  let failure: { readonly error: AppError; readonly at: number } | undefined;

  function valid(): TrustMaterial | undefined {
    return material && now() <= material.expires ? material : undefined;
  }

  async function fetch(signal: AbortSignal | undefined): Promise<void> {
    try {
      const fetched = await repository.fetch(signal);
      check(fetched.bytes);
      material = fetched;
      failure = undefined;
      options.onRefresh?.({ kind: 'fetched', id, expires: fetched.expires });
    } catch (thrown) {
      signal?.throwIfAborted();
      const error = toAppError(thrown);
      failure = { error, at: now().getTime() };
      const kept = valid();
      options.onRefresh?.({ kind: 'failed', id, error, ...(kept ? { expires: kept.expires } : {}) });
    }
  }

  function isDue(): boolean {
    const at = now().getTime();
    const kept = valid();
    if (failure) return at - failure.at >= (kept ? RETRY_MS : RETRY_WITHOUT_MS);
    return !kept || at - kept.fetchedAt.getTime() >= FETCH_EVERY_MS;
  }

  return {
    current() {
      const kept = valid();
      if (kept) return kept;
      const why = material ? `its material ended at ${material.expires.toISOString()}` : 'it has not been fetched';
      const problem = failure ? `: ${failure.error.message}` : '';
      throw new AppError('trust-unavailable', `${name}: ${why}${problem}`, {
        ...(failure ? { cause: failure.error } : {}),
        mend: failure?.error.mend ?? 'it is fetched again by itself',
      });
    },
    async open(signal) {
      const kept = await repository.kept();
      if (kept && isSound(kept, check)) material = kept;
      if (isDue()) await fetch(signal);
    },
    async renew(signal) {
      if (isDue()) await fetch(signal);
    },
  };
}

function isSound({ bytes }: TrustMaterial, check: (bytes: Uint8Array) => void): boolean {
  try {
    check(bytes);
    return true;
  } catch {
    return false;
  }
}
