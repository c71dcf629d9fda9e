/** Something fetched and read, and when. */
interface Kept<T> {
  readonly value: Promise<T>;
  readonly fetchedAt: number;
}

/** Addresses kept at once. A source needs one or two; the oldest gives way. */
const MAX_KEPT = 64;

export interface CachedFetch<T> {
  /** The value at a URL, fetched at most once in `maxAgeMs`; concurrent calls share one request. */
  get(url: URL, now: Date, maxAgeMs: number): Promise<T>;
}

/** Keeps what was read from public addresses. A failure is not kept, so that the next delivery tries again. */
export function createCachedFetch<T>(read: (url: URL) => Promise<T>): CachedFetch<T> {
  const kept = new Map<string, Kept<T>>();

  async function get(url: URL, now: Date, maxAgeMs: number): Promise<T> {
    const known = kept.get(url.href);
    const age = known === undefined ? Number.POSITIVE_INFINITY : now.getTime() - known.fetchedAt;
    if (known && age >= 0 && age <= maxAgeMs) return await known.value;
    const value = read(url);
    const entry = { value, fetchedAt: now.getTime() };
    kept.delete(url.href);
    kept.set(url.href, entry);
    for (const oldest of kept.keys()) {
      if (kept.size <= MAX_KEPT) break;
      kept.delete(oldest);
    }
    try {
      return await value;
    } catch (error) {
      if (kept.get(url.href) === entry) kept.delete(url.href);
      throw error;
    }
  }

  return { get };
}
