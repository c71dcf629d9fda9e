/** Whether one code point is meant. */
export type CharacterTest = (codePoint: number) => boolean;

const DIGIT: CharacterTest = (point) => point >= 0x30 && point <= 0x39;
const WORD: CharacterTest = (point) => DIGIT(point) || isLetter(point) || point === 0x5f;
const SPACE: CharacterTest = (point) => [0x09, 0x0a, 0x0c, 0x0d, 0x20].includes(point);

/** Perl's classes as RE2 has them: ASCII only, and no vertical tab in `\s`. */
export const PERL_CLASSES: Readonly<Record<string, CharacterTest>> = {
  d: DIGIT,
  D: not(DIGIT),
  w: WORD,
  W: not(WORD),
  s: SPACE,
  S: not(SPACE),
};

/** POSIX classes, inside of brackets only. */
export const POSIX_CLASSES: Readonly<Record<string, CharacterTest>> = {
  alnum: (point) => isLetter(point) || DIGIT(point),
  alpha: isLetter,
  ascii: (point) => point < 0x80,
  blank: (point) => point === 0x09 || point === 0x20,
  cntrl: (point) => point < 0x20 || point === 0x7f,
  digit: DIGIT,
  graph: (point) => point > 0x20 && point < 0x7f,
  lower: (point) => point >= 0x61 && point <= 0x7a,
  print: (point) => point >= 0x20 && point < 0x7f,
  punct: (point) => point > 0x20 && point < 0x7f && !isLetter(point) && !DIGIT(point),
  space: (point) => SPACE(point) || point === 0x0b,
  upper: (point) => point >= 0x41 && point <= 0x5a,
  word: WORD,
  xdigit: (point) => DIGIT(point) || (point >= 0x41 && point <= 0x46) || (point >= 0x61 && point <= 0x66),
};

export const isWord: CharacterTest = WORD;

export function not(test: CharacterTest): CharacterTest {
  return (point) => !test(point);
}

/** A Unicode category or script, e.g. `L`, `Lu`, `Greek`; undefined when there is none of that name. */
export function unicodeClass(name: string): CharacterTest | undefined {
  if (name === 'Any') return () => true;
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) return undefined;
  try {
    const property = name.length <= 2 && name !== 'Yi' ? `General_Category=${name}` : `Script=${name}`;
    const pattern = new RegExp(`^\\p{${property}}$`, 'u');
    return (point) => pattern.test(String.fromCodePoint(point));
  } catch {
    return undefined;
  }
}

/** The same test without regard to case, by the simple folding of Unicode: one character for one. */
export function folded(test: CharacterTest): CharacterTest {
  return (point) => {
    if (test(point)) return true;
    const character = String.fromCodePoint(point);
    const [lower, upper] = [character.toLowerCase(), character.toUpperCase()];
    return [lower, upper, upper.toLowerCase(), lower.toUpperCase(), SIGNS[lower] ?? ''].some((other) => {
      const [single, ...more] = Array.from(other);
      return single !== undefined && more.length === 0 && test(single.codePointAt(0) ?? -1);
    });
  };
}

/** The Kelvin sign and the long s fold to letters of ASCII, which no mapping of case leads back from. */
const SIGNS: Readonly<Record<string, string>> = { k: '\u212a', s: '\u017f' };

function isLetter(point: number): boolean {
  return (point >= 0x41 && point <= 0x5a) || (point >= 0x61 && point <= 0x7a);
}
