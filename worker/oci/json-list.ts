import { AppError } from '#model/errors.ts';

/** A JSON object's text, cut round the elements of one list in it. */
export interface CutList {
  readonly before: string;
  /** The elements' own texts, as they were written. */
  readonly elements: readonly string[];
  readonly after: string;
}

/**
 * Cuts a JSON object at a list of its own, so that elements can be added or taken out while the others stay byte for
 * byte: parsing and writing again would lose what their writer meant by a number's form or a repeated name.
 * @param text known to be JSON, and to be an object.
 * @param what names the text in the message.
 * @throws AppError `manifest-malformed` when the list is there twice, or is none.
 */
export function cutList(text: string, member: string, what: string): CutList {
  let found: CutList | undefined;
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const nameEnd = endOfValue(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    if (name === member) {
      if (found) throw malformed(what, `${member} is there twice`);
      if (text[start] !== '[' && text.slice(start, end) !== 'null') throw malformed(what, `${member} is not a list`);
      found = { before: text.slice(0, start), elements: elementsOf(text, start, end), after: text.slice(end) };
    }
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  if (!found) throw malformed(what, `${member} is not a list`);
  return found;
}

/** The text with these elements in the list's place. */
export function joinList({ before, elements, after }: CutList): string {
  return `${before}[${elements.join(',')}]${after}`;
}

function malformed(what: string, why: string): AppError {
  return new AppError('manifest-malformed', `${what}: ${why}`);
}

function elementsOf(text: string, start: number, end: number): readonly string[] {
  // Go programs write an empty list as null.
  if (text[start] !== '[') return [];
  const elements: string[] = [];
  let at = skipSpace(text, start + 1);
  while (at < end - 1) {
    const stop = endOfValue(text, at);
    elements.push(text.slice(at, stop));
    at = skipSpace(text, stop);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return elements;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n'.includes(text[at] ?? '')) at++;
  return at;
}

/** Where the value that starts here ends; brackets are counted outside of strings. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      at = endOfString(text, at) - 1;
      if (depth === 0) return at + 1;
    } else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') {
      if (depth === 0) return at;
      depth--;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (char === ',' || ' \t\r\n'.includes(char ?? ''))) return at;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}
