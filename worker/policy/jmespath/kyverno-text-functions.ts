import { posix } from 'node:path';
import { AppError } from '#model/errors.ts';
import { parseImageRef } from '#model/image-ref.ts';
import { type FunctionEntry, numberAt, textAt, valueAt } from '#policy/jmespath/arguments.ts';
import { failed } from '#policy/jmespath/failure.ts';
import { goTime } from '#policy/jmespath/go-time.ts';
import type { Argument } from '#policy/jmespath/interpret.ts';
import { lacksHost } from '#policy/matching/kyverno-image.ts';
import { compileRegexp } from '#policy/regexp/regexp.ts';
import { unsupported } from '#policy/unsupported.ts';

/** Kyverno's functions over times, images, addresses, paths and expressions, as far as they ask neither clock nor network. */
export const KYVERNO_TEXT_FUNCTIONS: Readonly<Record<string, FunctionEntry>> = {
  regex_match: { arity: 2, call: (args) => regexMatch(textAt(args, 0), plainText(args, 1)) },
  path_canonicalize: { arity: 1, call: (args) => canonicalPath(textAt(args, 0)) },
  image_normalize: { arity: 1, call: (args) => normalImage(textAt(args, 0)) },
  is_external_url: { arity: 1, call: (args) => isExternal(textAt(args, 0)) },
  round: { arity: 2, call: (args) => round(numberAt(args, 0), numberAt(args, 1)) },
  time_before: { arity: 2, call: (args) => goTime(textAt(args, 0)) < goTime(textAt(args, 1)) },
  time_after: { arity: 2, call: (args) => goTime(textAt(args, 0)) > goTime(textAt(args, 1)) },
  time_between: { arity: 3, call: (args) => isBetween(args) },
};

/** Kyverno writes numbers here with the precision of 32 bits; we take texts. */
function plainText(args: readonly Argument[], index: number): string {
  const value = valueAt(args, index);
  if (typeof value === 'number') throw unsupported('a regular expression over a number');
  return typeof value === 'boolean' ? String(value) : textAt(args, index);
}

function regexMatch(source: string, text: string): boolean {
  const compiled = compileRegexp(source);
  switch (compiled.kind) {
    case 'usable':
      return compiled.matches(text);
    case 'invalid':
      throw failed(`argument 1 is no regular expression: ${compiled.problem}`);
    case 'unsupported':
      throw unsupported(`a regular expression with ${compiled.problem}`);
  }
}

/** Go leaves no slash at the end, and the empty path empty. */
function canonicalPath(text: string): string {
  if (text === '') return '';
  const path = posix.normalize(text);
  return path.length > 1 ? path.replace(/\/$/, '') : path;
}

/** Kyverno inserts no `library/`, and the tag stays hidden behind a digest. */
function normalImage(text: string): string {
  const full = lacksHost(text) ? `docker.io/${text}` : text;
  try {
    const { tag, digest } = parseImageRef(full);
    const suffix = [...(tag === undefined ? [] : [`:${tag}`]), ...(digest === undefined ? [] : [`@${digest}`])].join(
      '',
    );
    // A tag that nobody wrote is read as latest.
    const name = full.endsWith(suffix) ? full.slice(0, full.length - suffix.length) : full;
    return digest === undefined ? `${name}:${tag ?? 'latest'}` : `${name}@${digest}`;
  } catch (error) {
    if (error instanceof AppError) throw failed('argument 1 is no image reference');
    throw error;
  }
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;

/** A name would have to be looked up, and evaluation asks no network. */
function isExternal(text: string): boolean {
  if (!URL.canParse(text)) throw unsupported('is_external_url of a text that is no whole URL');
  const { hostname } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (IPV4.test(host)) return !/^(?:127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)/.test(host);
  // Only an IPv6 address stands in brackets, and the parser of addresses has checked it.
  if (hostname.startsWith('[')) {
    if (host.startsWith('::ffff:')) throw unsupported('is_external_url of an IPv4 address written as IPv6');
    return host !== '::1' && !/^f[cd]/i.test(host);
  }
  throw unsupported('is_external_url of a host name, which must be looked up');
}

/** Go rounds halves away from zero. */
function round(value: number, digits: number): number {
  if (!Number.isInteger(digits)) throw failed('argument 2 is not a whole number');
  if (digits < 0) throw failed('argument 2 is below zero');
  const shift = 10 ** digits;
  const shifted = value * shift;
  const whole = Math.trunc(shifted);
  const away = Math.abs(shifted - whole) >= 0.5 ? Math.sign(shifted) : 0;
  return (whole + away) / shift;
}

function isBetween(args: readonly Argument[]): boolean {
  const [time, start, end] = [0, 1, 2].map((index) => goTime(textAt(args, index)));
  return time !== undefined && start !== undefined && end !== undefined && time > start && time < end;
}
