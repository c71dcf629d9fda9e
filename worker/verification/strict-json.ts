/** Levels of nesting, as Go's readers allow them. Real statements stay below twenty. */
const MAX_DEPTH = 10_000;
/** Members and elements together: what 128 MiB of a real SBOM holds, and far below what exhausts memory. */
const MAX_VALUES = 5_000_000;

export type StrictJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: string };

/**
 * Parses JSON whose meaning every parser agrees on: UTF-8 without byte order mark, no duplicate member at any depth, no
 * lone surrogate, bounded in depth and in number of values (interop specification D.3). `JSON.parse` alone keeps the
 * last of two equal members, where another reader may keep the first.
 */
export function parseStrictJson(bytes: Uint8Array): StrictJson {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { ok: false, problem: 'it is not UTF-8' };
  const problem = scanJson(text);
  if (problem !== undefined) return { ok: false, problem };
  try {
    const value: unknown = JSON.parse(text);
    return { ok: true, value };
  } catch {
    return { ok: false, problem: 'it is not JSON' };
  }
}

/** Text of UTF-8 bytes, a byte order mark kept; undefined when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Why JSON bytes must not be parsed, before anything is built from them: too deep, or of so many values that their
 * objects would fill the memory. For bytes that nobody has vouched for.
 */
export function jsonBoundsProblem(bytes: Uint8Array): string | undefined {
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inString = false;
      continue;
    }
    if (byte === 0x22) inString = true;
    else if (byte === 0x2c) values++;
    else if (byte === 0x7d || byte === 0x5d) depth--;
    else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      values++;
    }
    if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
    if (values > MAX_VALUES) return `it holds more than ${MAX_VALUES} values`;
  }
  return undefined;
}

interface Frame {
  /** Member names seen so far; absent for an array. */
  readonly names?: Set<string>;
  /** The next string is a member name. */
  atName: boolean;
}

/**
 * One pass over JSON text for what `JSON.parse` accepts and we do not; undefined when nothing was found. It does not
 * judge the grammar, so on text that is not JSON its answer means nothing beyond the bounds.
 */
function scanJson(text: string): string | undefined {
  const stack: Frame[] = [];
  let top: Frame | undefined;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = stringEnd(text, at);
        const problem = scanString(text, at, end, top);
        if (problem !== undefined) return problem;
        at = end;
        break;
      }
      case 0x7b:
      case 0x5b: {
        const isObject = text[at] === '{';
        top = isObject ? { names: new Set(), atName: true } : { atName: false };
        stack.push(top);
        values++;
        if (stack.length > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
        break;
      }
      case 0x7d:
      case 0x5d:
        stack.pop();
        top = stack.at(-1);
        break;
      case 0x2c:
        values++;
        if (top?.names) top.atName = true;
        break;
      default:
        break;
    }
    if (values > MAX_VALUES) return `it holds more than ${MAX_VALUES} values`;
  }
  return undefined;
}

function scanString(text: string, start: number, end: number, frame: Frame | undefined): string | undefined {
  const raw = text.slice(start, end + 1);
  const isName = frame?.names !== undefined && frame.atName;
  const escaped = raw.includes('\\');
  if (!isName && !escaped) return undefined;
  const value = escaped ? unescapeJson(raw) : raw.slice(1, -1);
  if (value === undefined) return undefined;
  if (!value.isWellFormed()) return 'a string holds a lone surrogate';
  if (isName) {
    if (frame.names.has(value)) return `member ${JSON.stringify(value.slice(0, 80))} occurs twice`;
    frame.names.add(value);
    frame.atName = false;
  }
  return undefined;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at;
    at += code === 0x5c ? 2 : 1;
  }
  return text.length;
}

/** Undefined for a string that is not JSON: `JSON.parse` of the whole text says so. */
function unescapeJson(raw: string): string | undefined {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
