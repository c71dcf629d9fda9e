/** A position in the text of an expression, by code points. */
export interface Scanner {
  readonly done: boolean;
  /** The next code point as text; empty at the end. */
  peek(ahead?: number): string;
  take(): string;
  /** Takes what the pattern, which must begin with `^`, finds here. */
  match(pattern: RegExp): RegExpExecArray | undefined;
  looksAt(pattern: RegExp): boolean;
}

/** Code points that one look ahead may need: a group's name is the longest thing that is read at once. */
const WINDOW = 80;

export function createScanner(source: string): Scanner {
  const text = Array.from(source);
  let at = 0;
  const ahead = () => text.slice(at, at + WINDOW).join('');
  return {
    get done() {
      return at >= text.length;
    },
    peek: (count = 0) => text[at + count] ?? '',
    take: () => text[at++] ?? '',
    match(pattern) {
      const found = pattern.exec(ahead()) ?? undefined;
      if (found) at += Array.from(found[0]).length;
      return found;
    },
    looksAt: (pattern) => pattern.test(ahead()),
  };
}

/** Why an expression cannot be used: Go refuses it too, or it is a form that is not judged. */
export class RegexpProblem extends Error {
  readonly kind: 'invalid' | 'unsupported';

  constructor(kind: 'invalid' | 'unsupported', message: string) {
    super(message);
    this.kind = kind;
  }
}
