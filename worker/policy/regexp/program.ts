import { type CharacterTest, isWord } from '#policy/regexp/character.ts';

export type Assertion = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-boundary' | 'no-word-boundary';

/** A parsed expression. */
export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'alternatives'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly least: number; readonly most: number | undefined };

type Instruction =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'split'; readonly to: readonly number[] }
  | { readonly kind: 'match' };

/** Instructions of one expression. Matching costs at most this times the length of the text. */
const MAX_INSTRUCTIONS = 2000;

export interface Program {
  /** Whether some part of the text matches. */
  matches(text: string): boolean;
}

/** Compiles to a machine that walks all alternatives at once, in linear time; undefined when it would be too large. */
export function compileProgram(root: Node): Program | undefined {
  const code: Instruction[] = [];

  /** Appends the code of a node; it goes on at the instruction behind its last. False when there is no more room. */
  function emit(node: Node): boolean {
    if (code.length > MAX_INSTRUCTIONS) return false;
    switch (node.kind) {
      case 'empty':
        return true;
      case 'character':
      case 'assertion':
        code.push(node);
        return true;
      case 'sequence':
        return node.parts.every(emit);
      case 'alternatives':
        return emitAlternatives(node.parts);
      case 'repeat':
        return emitRepeat(node.part, node.least, node.most);
    }
  }

  function emitAlternatives(parts: readonly Node[]): boolean {
    const start = code.push({ kind: 'match' }) - 1;
    const ends: number[] = [];
    const starts: number[] = [];
    for (const part of parts) {
      starts.push(code.length);
      if (!emit(part)) return false;
      ends.push(code.push({ kind: 'match' }) - 1);
    }
    code[start] = { kind: 'split', to: starts };
    for (const end of ends) code[end] = { kind: 'split', to: [code.length] };
    return true;
  }

  function emitRepeat(part: Node, least: number, most: number | undefined): boolean {
    for (let count = 0; count < least; count++) if (!emit(part)) return false;
    const exits: number[] = [];
    for (let count = least; count < (most ?? least + 1); count++) {
      const split = code.push({ kind: 'match' }) - 1;
      if (!emit(part)) return false;
      if (most === undefined) {
        code.push({ kind: 'split', to: [split] });
        code[split] = { kind: 'split', to: [split + 1, code.length] };
      } else exits.push(split);
    }
    for (const exit of exits) code[exit] = { kind: 'split', to: [exit + 1, code.length] };
    return true;
  }

  if (!emit(root)) return undefined;
  code.push({ kind: 'match' });
  return code.length > MAX_INSTRUCTIONS ? undefined : { matches: (text) => run(code, Array.from(text, pointOf)) };
}

function pointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function run(code: readonly Instruction[], text: readonly number[]): boolean {
  let waiting: number[] = [];
  for (let at = 0; at <= text.length; at++) {
    // A match may begin anywhere, so the start joins those that are under way.
    const reached = closure(code, [...waiting, 0], text, at);
    if (reached === 'match') return true;
    waiting = reached.filter((index) => {
      const instruction = code[index];
      const point = text[at];
      return instruction?.kind === 'character' && point !== undefined && instruction.test(point);
    });
    waiting = waiting.map((index) => index + 1);
  }
  return false;
}

/** Everything that is reached without reading a character. */
function closure(
  code: readonly Instruction[],
  from: readonly number[],
  text: readonly number[],
  at: number,
): number[] | 'match' {
  const seen = new Set<number>();
  const stack = [...from];
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const instruction = code[index];
    if (instruction?.kind === 'match') return 'match';
    if (instruction?.kind === 'split') stack.push(...instruction.to);
    if (instruction?.kind === 'assertion' && holds(instruction.assertion, text, at)) stack.push(index + 1);
  }
  return [...seen];
}

function holds(assertion: Assertion, text: readonly number[], at: number): boolean {
  const [before, after] = [text[at - 1], text[at]];
  switch (assertion) {
    case 'text-start':
      return at === 0;
    case 'text-end':
      return at === text.length;
    case 'line-start':
      return at === 0 || before === 0x0a;
    case 'line-end':
      return at === text.length || after === 0x0a;
    case 'word-boundary':
      return wordAt(before) !== wordAt(after);
    case 'no-word-boundary':
      return wordAt(before) === wordAt(after);
  }
}

function wordAt(point: number | undefined): boolean {
  return point !== undefined && isWord(point);
}
