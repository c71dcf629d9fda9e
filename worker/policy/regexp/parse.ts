import { type CharacterTest, folded } from '#policy/regexp/character.ts';
import { readBracket, readEscape } from '#policy/regexp/character-class.ts';
import type { Node } from '#policy/regexp/program.ts';
import { createScanner, RegexpProblem, type Scanner } from '#policy/regexp/scanner.ts';

interface Flags {
  readonly fold: boolean;
  readonly lines: boolean;
  readonly dotAll: boolean;
}

const MAX_DEPTH = 100;
/** Go's own bound of a counted repetition. */
const MAX_COUNT = 1000;

/** Parses an expression of Go's `regexp` (RE2 syntax). @throws RegexpProblem */
export function parseRegexp(source: string): Node {
  const scanner = createScanner(source);
  const node = alternatives(scanner, { fold: false, lines: false, dotAll: false }, 0);
  if (!scanner.done) throw new RegexpProblem('invalid', 'a parenthesis that was not opened');
  return node;
}

function alternatives(scanner: Scanner, flags: Flags, depth: number): Node {
  if (depth > MAX_DEPTH) throw new RegexpProblem('unsupported', 'an expression that is nested so deeply');
  let current = flags;
  const parts: Node[] = [];
  let sequence: Node[] = [];
  while (!scanner.done && scanner.peek() !== ')') {
    if (scanner.peek() === '|') {
      scanner.take();
      parts.push({ kind: 'sequence', parts: sequence });
      sequence = [];
      continue;
    }
    // `(?i)` and the like change the flags of what follows in the group.
    const letters = scanner.match(/^\(\?([a-zA-Z-]*)\)/)?.[1];
    if (letters !== undefined) {
      current = withFlags(current, letters);
      // Go applies such a repetition to what stands before the flags.
      if (scanner.looksAt(REPETITION)) throw new RegexpProblem('unsupported', 'a repetition right behind flags');
    } else sequence.push(repeated(scanner, atom(scanner, current, depth)));
  }
  parts.push({ kind: 'sequence', parts: sequence });
  return { kind: 'alternatives', parts };
}

function atom(scanner: Scanner, flags: Flags, depth: number): Node {
  if (scanner.looksAt(REPETITION)) throw new RegexpProblem('invalid', 'a repetition of nothing');
  const character = scanner.take();
  switch (character) {
    case '(':
      return group(scanner, flags, depth);
    case '[':
      return { kind: 'character', test: readBracket(scanner, flags.fold) };
    case '.':
      return { kind: 'character', test: (point) => flags.dotAll || point !== 0x0a };
    case '^':
      return { kind: 'assertion', assertion: flags.lines ? 'line-start' : 'text-start' };
    case '$':
      return { kind: 'assertion', assertion: flags.lines ? 'line-end' : 'text-end' };
    case '\\':
      return escaped(scanner, flags);
    default:
      return literal(character, flags);
  }
}

function group(scanner: Scanner, flags: Flags, depth: number): Node {
  const named = scanner.match(/^\?P?<[A-Za-z_][A-Za-z0-9_]*>/);
  const letters = named ? undefined : scanner.match(/^\?([a-zA-Z-]*):/)?.[1];
  if (!named && letters === undefined && scanner.peek() === '?') {
    if (scanner.looksAt(/^\?<?[=!]/)) throw new RegexpProblem('invalid', 'look-around, which Go does not have');
    throw new RegexpProblem('invalid', 'a group of an unknown kind');
  }
  const node = alternatives(scanner, letters === undefined ? flags : withFlags(flags, letters), depth + 1);
  if (scanner.take() !== ')') throw new RegexpProblem('invalid', 'a parenthesis that is not closed');
  return node;
}

function repeated(scanner: Scanner, part: Node): Node {
  const bounds = repetition(scanner);
  if (!bounds) return part;
  // Which of several matches is found makes no difference here, so a lazy repetition is as good as a greedy one.
  if (scanner.peek() === '?') scanner.take();
  if (scanner.looksAt(REPETITION)) {
    throw new RegexpProblem('invalid', 'a repetition of a repetition');
  }
  return { kind: 'repeat', part, ...bounds };
}

/** A count has no leading zero: with one, the braces are themselves. */
const COUNTED = /^\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/;
const REPETITION = new RegExp(`^[*+?]|${COUNTED.source}`);

function repetition(scanner: Scanner): { readonly least: number; readonly most: number | undefined } | undefined {
  const sign = scanner.match(/^[*+?]/)?.[0];
  if (sign !== undefined) return { least: sign === '+' ? 1 : 0, most: sign === '?' ? 1 : undefined };
  const counted = scanner.match(COUNTED);
  if (!counted) return undefined;
  const [, from, comma, to] = counted;
  const least = Number(from);
  const most = comma === undefined ? least : to === undefined ? undefined : Number(to);
  if (least > MAX_COUNT || (most !== undefined && (most > MAX_COUNT || most < least))) {
    throw new RegexpProblem('invalid', 'a repetition count beyond 1000, or out of order');
  }
  return { least, most };
}

const ASSERTIONS = { b: 'word-boundary', B: 'no-word-boundary', A: 'text-start', z: 'text-end' } as const;

function escaped(scanner: Scanner, flags: Flags): Node {
  const letter = scanner.peek();
  if (letter === 'b' || letter === 'B' || letter === 'A' || letter === 'z') {
    scanner.take();
    return { kind: 'assertion', assertion: ASSERTIONS[letter] };
  }
  if (letter === 'Q') {
    scanner.take();
    const parts: Node[] = [];
    while (!scanner.done && !scanner.match(/^\\E/)) parts.push(literal(scanner.take(), flags));
    // A repetition behind the end is one of the last character alone.
    const last = parts.pop();
    if (last) parts.push(repeated(scanner, last));
    else if (scanner.looksAt(REPETITION)) throw new RegexpProblem('unsupported', 'a repetition behind an empty \\Q\\E');
    return { kind: 'sequence', parts };
  }
  const found = readEscape(scanner, flags.fold);
  if (typeof found !== 'number') return { kind: 'character', test: withCase(found, flags) };
  return { kind: 'character', test: withCase((point) => point === found, flags) };
}

function literal(character: string, flags: Flags): Node {
  const wanted = character.codePointAt(0) ?? 0;
  return { kind: 'character', test: withCase((point) => point === wanted, flags) };
}

function withCase(test: CharacterTest, { fold }: Flags): CharacterTest {
  return fold ? folded(test) : test;
}

function withFlags(flags: Flags, letters: string): Flags {
  if (!/^[imsU]*(?:-[imsU]+)?$/.test(letters)) {
    throw new RegexpProblem('invalid', `the flags ${letters.slice(0, 20)}`);
  }
  const [on = '', off = ''] = letters.split('-');
  const flag = (letter: string, before: boolean) => (on.includes(letter) || before) && !off.includes(letter);
  return { fold: flag('i', flags.fold), lines: flag('m', flags.lines), dotAll: flag('s', flags.dotAll) };
}
