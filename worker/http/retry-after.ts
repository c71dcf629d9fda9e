// A server may not park our work for longer than this, whatever it says.
const CEILING_MS = 60 * 60 * 1000;

/**
 * Milliseconds to wait by a `Retry-After` header (RFC 9110 10.2.3: seconds, or an HTTP date judged against `now`),
 * between 0 and one hour. Undefined when there is none that can be read.
 */
export function parseRetryAfter(value: string | undefined, now: Date): number | undefined {
  const text = value?.trim();
  if (!text) return undefined;
  if (/^\d+$/.test(text)) return bounded(Number(text) * 1000);
  // Date.parse reads far more than HTTP dates, negative numbers among them.
  if (!/^[A-Z][a-z]+,? /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : bounded(at - now.getTime());
}

function bounded(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, 0), CEILING_MS);
}
