import { parseGoDuration } from '#policy/conditions/duration.ts';
import { parseQuantity } from '#policy/conditions/quantity.ts';
import { unsupported } from '#policy/unsupported.ts';

const END = '[-|+]?\\d+(?:\\.\\d+)?[A-Za-z]*';
const RANGE = new RegExp(`^(${END})-(${END})$`);

export interface Range {
  readonly low: string;
  readonly high: string;
}

/** The ends of a range such as `1-20` or `1Gi-20Gi`; undefined when the text is none. A version has no range form. */
export function parseRange(text: string): Range | undefined {
  const [, low, high] = RANGE.exec(text) ?? [];
  if (low === undefined || high === undefined) return undefined;
  // Kyverno's own expression takes a bar for a sign and a leading minus for the range operator, each in one place only.
  if (/^[-|]/.test(low) || /^[-|]/.test(high)) throw unsupported(`the range ${JSON.stringify(text)} with a sign`);
  return { low, high };
}

export function isInRange(key: string, range: Range): boolean {
  const low = compareScalars(key, range.low);
  const high = compareScalars(key, range.high);
  return low !== undefined && high !== undefined && low >= 0 && high <= 0;
}

/** What is neither a duration nor a quantity is not outside of a range: it is not comparable. */
export function isOutsideRange(key: string, range: Range): boolean {
  const low = compareScalars(key, range.low);
  const high = compareScalars(key, range.high);
  return (low !== undefined && low < 0) || (high !== undefined && high > 0);
}

function compareScalars(key: string, end: string): number | undefined {
  return order(parseGoDuration(key), parseGoDuration(end)) ?? order(parseQuantity(key), parseQuantity(end));
}

function order(a: bigint | undefined, b: bigint | undefined): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  return Number(a > b) - Number(a < b);
}
