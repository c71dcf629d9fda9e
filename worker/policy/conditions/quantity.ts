const QUANTITY = /^([+-]?)(\d*)(?:\.(\d*))?(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?\d+|)$/;
const BINARY: Readonly<Record<string, bigint>> = { Ki: 1n, Mi: 2n, Gi: 3n, Ti: 4n, Pi: 5n, Ei: 6n };
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
/** The finest step of a quantity is 10^-9. */
const NANO = 9;
/** Quantities are capped at the largest 64-bit integer. */
const MAX = 9_223_372_036_854_775_807n * 10n ** BigInt(NANO);
const MAX_LENGTH = 200;

/**
 * A Kubernetes resource quantity (`1Gi`, `500m`, `1e3`) in units of 10^-9, finer ones rounded away from zero;
 * undefined when the text is none. The result is exact, and cheap for hostile exponents.
 */
export function parseQuantity(text: string): bigint | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const match = QUANTITY.exec(text);
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(`${whole}${fraction}` || '0');
  const power = BINARY[suffix];
  const exponent = (power === undefined ? decimalExponent(suffix) : 0) - fraction.length + NANO;
  const size = scale(power === undefined ? digits : digits * 1024n ** power, exponent);
  const capped = size > MAX ? MAX : size;
  return sign === '-' ? -capped : capped;
}

function decimalExponent(suffix: string): number {
  return DECIMAL[suffix] ?? Number(suffix.slice(1));
}

/** digits × 10^exponent, rounded up. */
function scale(digits: bigint, exponent: number): bigint {
  if (digits === 0n) return 0n;
  if (exponent > 60) return MAX;
  if (exponent >= 0) return digits * 10n ** BigInt(exponent);
  if (exponent < -MAX_LENGTH - 60) return 1n;
  const divisor = 10n ** BigInt(-exponent);
  return (digits + divisor - 1n) / divisor;
}
