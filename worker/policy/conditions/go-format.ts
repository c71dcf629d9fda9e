/** How Go prints and reads scalars: Kyverno's operators compare these texts. */

/** `fmt.Sprint` of a JSON value. */
export function goSprint(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'number') return goFloat(value);
  if (Array.isArray(value)) return `[${value.map(goSprint).join(' ')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${members.map(([name, member]) => `${name}:${goSprint(member)}`).join(' ')}]`;
  }
  return String(value);
}

/** `%v` of a float64: the shortest digits, an exponent below 1e-4 and from 1e21 on, of two digits at least. */
function goFloat(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-4) return padExponent(value.toExponential());
  return padExponent(String(value));
}

function padExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPECIAL = /^[+-]?(?:inf|infinity|nan)$/i;

/** `strconv.ParseFloat`; undefined where it errs, out of range included. */
export function goParseFloat(text: string): number | undefined {
  if (SPECIAL.test(text)) {
    if (/nan$/i.test(text)) return Number.NaN;
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
