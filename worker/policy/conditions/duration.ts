const UNIT_NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/y;
const MAX_INT64 = 9_223_372_036_854_775_807n;
/** Longer texts are no duration that fits 64 bits, only work. */
const MAX_LENGTH = 200;

/** Nanoseconds of a Go duration text (`1h30m`, `-1.5s`, `0`); undefined where `time.ParseDuration` errs. */
export function parseGoDuration(text: string): bigint | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  const body = text.slice(sign.length);
  if (body === '0') return 0n;
  if (body === '') return undefined;
  let total = 0n;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const part = PART.exec(body);
    if (!part) return undefined;
    const [, whole = '', fraction = '', unit = ''] = part;
    if (whole === '' && fraction === '') return undefined;
    const scale = UNIT_NANOSECONDS[unit] ?? 0;
    total += BigInt(whole || '0') * BigInt(scale) + BigInt(Math.trunc(Number(`0.${fraction || '0'}`) * scale));
    if (total > MAX_INT64) return undefined;
  }
  return sign === '-' ? -total : total;
}

/** `Duration.Seconds`. */
export function durationSeconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000_000n) + Number(nanoseconds % 1_000_000_000n) / 1e9;
}

/** A number as Kyverno takes it for a duration: whole seconds, the fraction is dropped. */
export function secondsToNanoseconds(seconds: number): bigint | undefined {
  if (!Number.isFinite(seconds)) return undefined;
  return BigInt(Math.trunc(seconds)) * 1_000_000_000n;
}
