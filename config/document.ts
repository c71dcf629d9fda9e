import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Finding, Path, Problem } from '#config/problem.ts';
import { formatPath } from '#config/problem.ts';

/** Larger than any configuration that people keep by hand; a bound on what a mistaken path can make us parse. */
export const MAX_CONFIG_BYTES = 1024 * 1024;

// Aliases are handy for repeated rules; beyond this many expansions the file is a bomb.
const MAX_ALIASES = 200;

/** A YAML text with the places of its keys. */
export interface ConfigDocument {
  /** Plain data; undefined when the text is no YAML. */
  readonly raw: unknown;
  /** What is wrong with the text as YAML. */
  readonly problems: readonly Problem[];
  place(finding: Finding): Problem;
}

/** Reads YAML 1.2 text. Never throws: what is wrong comes as problems. */
export function parseConfigDocument(text: string): ConfigDocument {
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) {
    return unreadable('the file is larger than 1 MiB', 'check that the path names the configuration');
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
    const problems = document.errors.map((error): Problem => {
      const { line, col } = lines.linePos(error.pos[0]);
      return { severity: 'error', key: '', line, column: col, message: error.message, mend: 'mend the YAML here' };
    });
    const contents = document.contents;
    const place = (finding: Finding): Problem => placed(finding, contents, lines);
    return { raw: problems.length > 0 ? undefined : document.toJS({ maxAliasCount: MAX_ALIASES }), problems, place };
  } catch (error) {
    // The library recurses over nested collections and throws on alias bombs: both are the text's fault.
    const deep = error instanceof RangeError;
    const message = deep ? 'the YAML is nested too deeply' : error instanceof Error ? error.message : String(error);
    return unreadable(message, deep ? 'flatten it' : 'repeat the content instead of so many aliases');
  }
}

function unreadable(message: string, mend: string): ConfigDocument {
  const problem: Problem = { severity: 'error', key: '', line: 1, column: 1, message, mend };
  return { raw: undefined, problems: [problem], place: () => problem };
}

function placed(finding: Finding, root: unknown, lines: LineCounter): Problem {
  const { line, col } = lines.linePos(offsetOf(root, finding.path));
  const { severity, message, mend } = finding;
  return { severity, key: formatPath(finding.path), line: Math.max(line, 1), column: Math.max(col, 1), message, mend };
}

/** Offset of the last part of the path that is in the text: a missing key is reported where it belongs. */
function offsetOf(root: unknown, path: Path): number {
  let node = root;
  let offset = startOf(root) ?? 0;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part);
      if (!pair) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
