import { MAX_JSON_DEPTH } from '#producer/webhooks/limits.ts';

export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: 'malformed' | 'too-large'; readonly message: string };

/**
 * Reads a JSON text of bounded depth from bytes that must be UTF-8 (RFC 8259). The depth is counted before parsing, so
 * that a body of nothing but brackets never reaches code that recurses.
 */
export function readJson(bytes: Uint8Array): JsonReading {
  if (bytes.byteLength === 0) return { ok: false, reason: 'malformed', message: 'the body is empty; send JSON' };
  if (deeperThan(bytes, MAX_JSON_DEPTH)) {
    return { ok: false, reason: 'too-large', message: `the JSON is nested deeper than ${MAX_JSON_DEPTH} levels` };
  }
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    // The parser's own message quotes the body, which may hold a secret.
    return { ok: false, reason: 'malformed', message: 'the body is not JSON in UTF-8' };
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

// Works on bytes: in UTF-8 no part of a longer character equals an ASCII byte.
function deeperThan(bytes: Uint8Array, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limit) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}

/** A member of a JSON object by its own name; undefined for anything that is no object. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
