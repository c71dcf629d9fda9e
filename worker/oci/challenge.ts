/** One way to authenticate that a server offers (RFC 9110 11.6.1). */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

// A challenge is short; the parser is linear, and what is beyond is not looked at.
const MAX_LENGTH = 16 * 1024;

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SPACE = /[ \t]*/y;
const COMMAS = /[ \t,]*/y;
const EQUALS = /[ \t]*=[ \t]*/y;

/**
 * Parses a `WWW-Authenticate` header, which may hold several challenges in one line: a parameter list and the next
 * challenge are both divided by commas, and a quoted value may hold commas itself. What cannot be read ends the list.
 */
export function parseChallenges(header: string | undefined): readonly Challenge[] {
  const reader = new HeaderReader((header ?? '').slice(0, MAX_LENGTH));
  const challenges: Challenge[] = [];
  for (;;) {
    reader.take(COMMAS);
    const scheme = reader.take(TOKEN);
    if (scheme === undefined) return challenges;
    reader.take(SPACE);
    challenges.push({ scheme: scheme.toLowerCase(), parameters: readParameters(reader) });
  }
}

function readParameters(reader: HeaderReader): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  if (reader.take(TOKEN68) !== undefined) return parameters;
  for (;;) {
    const before = reader.at;
    reader.take(COMMAS);
    const name = reader.take(TOKEN);
    if (name === undefined || reader.take(EQUALS) === undefined) {
      // A word without an equals sign: the next challenge begins here.
      reader.at = before;
      return parameters;
    }
    const value = reader.take(QUOTED)?.slice(1, -1).replace(/\\(.)/g, '$1') ?? reader.take(TOKEN);
    if (value === undefined) return parameters;
    const key = name.toLowerCase();
    // The first wins: a repeated parameter is forbidden, and must not change what was read.
    if (!parameters.has(key)) parameters.set(key, value);
  }
}

class HeaderReader {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text that a sticky pattern matches here, and moves behind it. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }
}
