import { parseRegexp } from '#policy/regexp/parse.ts';
import { compileProgram } from '#policy/regexp/program.ts';
import { RegexpProblem } from '#policy/regexp/scanner.ts';

/** A regular expression of Go's, ready to be tried; or why there is none. */
export type CompiledRegexp =
  | { readonly kind: 'usable'; matches(text: string): boolean }
  /** Go refuses it too. */
  | { readonly kind: 'invalid'; readonly problem: string }
  /** A form that is not judged. */
  | { readonly kind: 'unsupported'; readonly problem: string };

/** Code units; identities of certificates are a line at most. */
const MAX_LENGTH = 2000;

/**
 * Compiles a regular expression as Go's `regexp` reads it: unanchored, without look-around and back-references, and
 * matched in time linear in the text, whatever the expression. JavaScript's own engine may take exponential time.
 */
export function compileRegexp(source: string): CompiledRegexp {
  if (source.length > MAX_LENGTH) {
    return { kind: 'unsupported', problem: `more than ${MAX_LENGTH} characters` };
  }
  try {
    const program = compileProgram(parseRegexp(source));
    if (!program) return { kind: 'unsupported', problem: 'repetitions that are so large' };
    return { kind: 'usable', matches: (text) => program.matches(text) };
  } catch (error) {
    if (error instanceof RegexpProblem) return { kind: error.kind, problem: error.message };
    throw error;
  }
}
