import { AppError } from '#model/errors.ts';

// Deeper than any manifest, config or token answer: they nest four or five levels.
const MAX_DEPTH = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Parses JSON that somebody else wrote: UTF-8 to the letter, nested at most 64 deep. The depth is counted before
 * parsing, so that megabytes of `[` cost one pass over the bytes and no stack.
 * @param what names the text in the message.
 * @throws AppError `manifest-malformed`.
 */
export function parseBoundedJson(bytes: Uint8Array, what = 'the answer', maxDepth = MAX_DEPTH): unknown {
  if (nestsDeeper(bytes, maxDepth)) {
    throw new AppError('manifest-malformed', `${what} is JSON nested deeper than ${maxDepth} levels`);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    // The parser's message quotes the text, which may be a token or anything else.
    throw new AppError('manifest-malformed', `${what} is not JSON in UTF-8`, {
      cause: error instanceof SyntaxError ? undefined : error,
    });
  }
}

/** A JSON object's members, or undefined for anything else. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function nestsDeeper(bytes: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
      continue;
    }
    if (byte === QUOTE) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth++;
      if (depth > maxDepth) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}
