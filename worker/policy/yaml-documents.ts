import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments, visit } from 'yaml';

export interface YamlPlace {
  readonly line: number;
  readonly column: number;
}

/** One document of a file. */
export interface YamlDocument {
  /** Its own text, from which its digest is made. */
  readonly text: string;
  /** Where a member stands in the file, or the nearest that there is above it; lines and columns count from 1. */
  place(path: readonly (string | number)[]): YamlPlace;
  readonly content: { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };
}

/** Characters; Kubernetes stores no object that is larger. */
const MAX_LENGTH = 2 * 1024 * 1024;
const MAX_DOCUMENTS = 100;
/** Nodes that aliases may expand to, beside those that are written: the answer to YAML bombs. */
const MAX_ALIASES = 100;

/** Plain scalars that Kubernetes' YAML 1.1 reads as booleans and YAML 1.2 as texts. */
const OLD_TRUE = /^(?:y|Y|yes|Yes|YES|on|On|ON)$/;
const OLD_FALSE = /^(?:n|N|no|No|NO|off|Off|OFF)$/;
/** Numbers that the two read differently: octal with a leading zero, and underscores between digits. */
const OLD_NUMBER = /^[-+]?(?:0[0-9_]+|[0-9][0-9_]*_[0-9_]*)$/;

/**
 * Splits a file into its YAML documents, as Kubernetes reads them; empty ones are left out. A document that is not
 * YAML has its problem with line and column.
 */
export function yamlDocuments(text: string): readonly YamlDocument[] {
  if (text.length > MAX_LENGTH) return [broken(text, `the file is longer than ${MAX_LENGTH} characters`)];
  const lines = new LineCounter();
  try {
    const documents = parseAllDocuments(text, { lineCounter: lines, merge: true, prettyErrors: false });
    if (!Array.isArray(documents)) return [];
    if (documents.length > MAX_DOCUMENTS) return [broken(text, `the file holds more than ${MAX_DOCUMENTS} documents`)];
    return documents.flatMap((document) => read(document, text, lines));
  } catch (error) {
    // Deep nesting exhausts the stack of the parser.
    return [broken(text, error instanceof RangeError ? 'it is nested too deeply' : String(error))];
  }
}

function read(document: Document.Parsed, whole: string, lines: LineCounter): readonly YamlDocument[] {
  const text = whole.slice(document.range[0], document.range[2]);
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    return [broken(text, `line ${line}, column ${col}: ${error.message}`, { line, column: col })];
  }
  const oddity = readAsKubernetes(document, lines);
  if (oddity !== undefined) return [broken(text, oddity.problem, oddity.place)];
  const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
  if (value === null || value === undefined) return [];
  return [{ text, content: { ok: true, value }, place: (path) => placeOf(document, path, lines) }];
}

interface Oddity {
  readonly problem: string;
  readonly place: YamlPlace;
}

function readAsKubernetes(document: Document.Parsed, lines: LineCounter): Oddity | undefined {
  let problem: Oddity | undefined;
  visit(document, {
    Scalar(_key, node) {
      if (!isScalar(node) || node.type !== 'PLAIN' || node.source === undefined) return undefined;
      if (OLD_TRUE.test(node.source)) node.value = true;
      else if (OLD_FALSE.test(node.source)) node.value = false;
      else if (OLD_NUMBER.test(node.source)) {
        const { line, col } = lines.linePos(node.range?.[0] ?? 0);
        const text = `line ${line}, column ${col}: ${node.source} is read in two ways; put it in quotes`;
        problem = { problem: text, place: { line, column: col } };
        return visit.BREAK;
      }
      return undefined;
    },
  });
  return problem;
}

function broken(text: string, problem: string, place: YamlPlace = { line: 1, column: 1 }): YamlDocument {
  return { text, content: { ok: false, problem }, place: () => place };
}

/** The key of a member, the item of a list. What a merge or an alias brings stands where it is brought in. */
function placeOf(document: Document.Parsed, path: readonly (string | number)[], lines: LineCounter): YamlPlace {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const part of path) {
    const pair = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      : undefined;
    const next: unknown = pair ? pair.value : isSeq(node) ? node.items[Number(part)] : undefined;
    const marked: unknown = pair ? pair.key : next;
    if (!isNode(marked)) break;
    offset = marked.range?.[0] ?? offset;
    node = next;
  }
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
