import { parseRevocationLists, type RevocationList } from '#crypto/revocation-list.ts';
import { toAppError } from '#model/errors.ts';
import { hostRefusal } from '#trust/host-refusal.ts';
import type { RevocationReader } from '#trust/revocation-reader.ts';

/** What is held of one source. */
export interface HeldLists {
  /** The newest that could be read. */
  readonly lists: readonly RevocationList[];
  /** Why nothing newer could be read. */
  readonly problem?: string;
}

/** Lists by their source, each read once until its next is due. */
export interface RevocationLists {
  /** What is held; undefined when it must be read first, which is remembered for `fetchWanted`. */
  held(source: string, now: Date): HeldLists | undefined;
  /** Tells that a certificate was looked up, by its serial number: see `RevocationListsOptions.onAsked`. */
  asked(source: string, serial: string): void;
  /** Reads what was asked for and is not held; answers whether there was anything to wait for. */
  fetchWanted(signal?: AbortSignal): Promise<boolean>;
  /** Reads a source anew, whatever is held. */
  refresh(source: string, signal?: AbortSignal): Promise<HeldLists>;
  /** What was read before then is read again when it is next asked for. */
  renew(readBefore: Date): void;
}

export interface RevocationListsOptions {
  readonly now: () => Date;
  /** Once for each certificate that is looked up at a source: whoever watches the lists knows which ones matter. */
  readonly onAsked?: ((source: string, serial: string) => void) | undefined;
}

interface Kept extends HeldLists {
  readonly readAt: number;
}

/** A source that failed is not asked again sooner: every image that is judged would ask. Milliseconds. */
const FAILED_FOR_MS = 60_000;
/** A CA may publish before its next list is due, most of all when a key was stolen. Milliseconds. */
const OLDEST_MS = 60 * 60_000;
const MAX_SOURCES = 256;
const MAX_ASKED = 10_000;

export function createRevocationLists(reader: RevocationReader, options: RevocationListsOptions): RevocationLists {
  const { now, onAsked } = options;
  const kept = new Map<string, Kept>();
  const wanted = new Set<string>();
  const underWay = new Map<string, Promise<HeldLists>>();
  const asked = new Set<string>();
  let renewedAt = 0;

  async function read(source: string, signal: AbortSignal | undefined): Promise<HeldLists> {
    const held = await readSource(source, signal);
    kept.delete(source);
    kept.set(source, { ...held, readAt: now().getTime() });
    const [oldest] = kept.keys();
    if (kept.size > MAX_SOURCES && oldest !== undefined) kept.delete(oldest);
    return held;
  }

  async function readSource(source: string, signal: AbortSignal | undefined): Promise<HeldLists> {
    try {
      return { lists: parseRevocationLists(await reader.read(source, signal)) };
    } catch (error) {
      signal?.throwIfAborted();
      const { message, mend } = hostRefusal(source, toAppError(error));
      // What was revoked for good stays so; see `checkRevocation`.
      const lists = kept.get(source)?.lists ?? [];
      return { lists, problem: mend === undefined ? message : `${message} (${mend})` };
    }
  }

  function refresh(source: string, signal?: AbortSignal): Promise<HeldLists> {
    const known = underWay.get(source);
    if (known) return known;
    const flight = read(source, signal).finally(() => underWay.delete(source));
    underWay.set(source, flight);
    return flight;
  }

  return {
    held(source, at) {
      const known = kept.get(source);
      if (known && known.readAt >= renewedAt && isCurrent(known, at)) return known;
      if (wanted.size < MAX_SOURCES) wanted.add(source);
      return undefined;
    },
    asked(source, serial) {
      const key = `${source} ${serial}`;
      if (asked.has(key)) return;
      if (asked.size >= MAX_ASKED) asked.clear();
      asked.add(key);
      onAsked?.(source, serial);
    },
    async fetchWanted(signal) {
      const sources = [...wanted];
      wanted.clear();
      const flights = [...sources.map((source) => refresh(source, signal)), ...underWay.values()];
      await Promise.allSettled(flights);
      signal?.throwIfAborted();
      return flights.length > 0;
    },
    refresh,
    renew(readBefore) {
      renewedAt = Math.max(renewedAt, readBefore.getTime());
    },
  };
}

function isCurrent({ lists, problem, readAt }: Kept, at: Date): boolean {
  const age = at.getTime() - readAt;
  if (problem !== undefined) return age < FAILED_FOR_MS;
  const due = lists.some(({ nextUpdate }) => nextUpdate && nextUpdate <= at);
  // A CA that is late is asked once a minute, not for every image.
  return age < (due ? FAILED_FOR_MS : OLDEST_MS);
}
