import {
  type CharacterTest,
  folded,
  not,
  PERL_CLASSES,
  POSIX_CLASSES,
  unicodeClass,
} from '#policy/regexp/character.ts';
import { RegexpProblem, type Scanner } from '#policy/regexp/scanner.ts';

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** What stands behind a backslash: a code point, or a class. Case is left to the caller, which `fold` is told of. */
export function readEscape(scanner: Scanner, fold: boolean): number | CharacterTest {
  // Go folds such a class before it negates it.
  if (fold && scanner.looksAt(/^(?:P|p\{\^)/)) {
    throw new RegexpProblem('unsupported', 'a negated class without regard to case');
  }
  const octal = scanner.match(/^0[0-7]{0,2}/);
  if (octal) return Number.parseInt(octal[0], 8);
  const letter = scanner.take();
  const perl = Object.hasOwn(PERL_CLASSES, letter) ? PERL_CLASSES[letter] : undefined;
  if (perl) return perl;
  if (letter === 'p' || letter === 'P') return readProperty(scanner, letter === 'P');
  if (letter === 'x') return readHexadecimal(scanner);
  if (/^[1-9]$/.test(letter)) throw new RegexpProblem('invalid', 'a back-reference, which Go does not have');
  const control = Object.hasOwn(CONTROLS, letter) ? CONTROLS[letter] : undefined;
  if (control !== undefined) return control;
  const point = letter.codePointAt(0) ?? -1;
  if (point < 0 || point >= 0x80 || /^[A-Za-z0-9]$/.test(letter)) {
    throw new RegexpProblem('invalid', `the escape \\${letter}`);
  }
  return point;
}

/** The characters of a bracket, whose opening was taken. Case is folded before it is negated. */
export function readBracket(scanner: Scanner, fold: boolean): CharacterTest {
  const negated = scanner.peek() === '^';
  if (negated) scanner.take();
  const tests: CharacterTest[] = [];
  for (let first = true; first || scanner.peek() !== ']'; first = false) {
    if (scanner.done) throw new RegexpProblem('invalid', 'a bracket that is not closed');
    const item = readItem(scanner, fold);
    tests.push(fold ? folded(item) : item);
  }
  scanner.take();
  const test: CharacterTest = (point) => tests.some((each) => each(point));
  return negated ? not(test) : test;
}

function readItem(scanner: Scanner, fold: boolean): CharacterTest {
  const [whole, circumflex, name = ''] = scanner.match(/^\[:(\^?)([a-z]+):\]/) ?? [];
  if (whole !== undefined) {
    const posix = Object.hasOwn(POSIX_CLASSES, name) ? POSIX_CLASSES[name] : undefined;
    if (!posix) throw new RegexpProblem('invalid', `the character class ${name}`);
    return circumflex === '^' ? not(posix) : posix;
  }
  const from = readPoint(scanner, fold);
  if (typeof from !== 'number') return from;
  if (scanner.peek() !== '-' || scanner.peek(1) === ']' || scanner.peek(1) === '') return (point) => point === from;
  scanner.take();
  const to = readPoint(scanner, fold);
  if (typeof to !== 'number' || to < from) throw new RegexpProblem('invalid', 'a range that is none');
  return (point) => point >= from && point <= to;
}

function readPoint(scanner: Scanner, fold: boolean): number | CharacterTest {
  const character = scanner.take();
  return character === '\\' ? readEscape(scanner, fold) : (character.codePointAt(0) ?? 0);
}

function readProperty(scanner: Scanner, negated: boolean): CharacterTest {
  const [whole, circumflex, name = ''] = scanner.match(/^\{(\^?)([A-Za-z_]+)\}/) ?? [];
  const found = whole === undefined ? scanner.take() : name;
  const test = unicodeClass(found);
  if (!test) throw new RegexpProblem('invalid', `the character class ${found}`);
  return negated !== (circumflex === '^') ? not(test) : test;
}

function readHexadecimal(scanner: Scanner): number {
  const [whole, long, short] = scanner.match(/^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/) ?? [];
  const point = Number.parseInt(long ?? short ?? '', 16);
  if (whole === undefined || !(point <= 0x10ffff)) throw new RegexpProblem('invalid', 'the escape \\x');
  return point;
}
