import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of a Markdown file. */
export interface Example {
  /** `file:line` of its first line. */
  readonly place: string;
  readonly language: string;
  /** The rest of the info string. */
  readonly note: string;
  readonly text: string;
}

/** A command of a console block, and the output that is shown below it. */
export interface ConsoleStep {
  readonly command: string;
  readonly output: readonly string[];
}

/** The Markdown files for people, relative to the root. */
export function documents(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((path) => `docs/${path}`);
  return [...readdirSync(ROOT), ...docs].filter((path) => path.endsWith('.md')).sort();
}

export function examplesOf(path: string): Example[] {
  const examples: Example[] = [];
  let open: { line: number; language: string; note: string; lines: string[] } | undefined;
  for (const [index, line] of readFileSync(join(ROOT, path), 'utf8').split('\n').entries()) {
    const fence = /^```\s*(\S*)\s*(.*)$/.exec(line);
    if (open && fence) {
      examples.push({ ...open, place: `${path}:${open.line}`, text: open.lines.join('\n') });
      open = undefined;
    } else if (open) {
      open.lines.push(line);
    } else if (fence) {
      open = { line: index + 2, language: fence[1] ?? '', note: fence[2] ?? '', lines: [] };
    }
  }
  if (open) throw new Error(`${path}:${open.line}: the block is never closed`);
  return examples;
}

export function allExamples(): Example[] {
  return documents().flatMap(examplesOf);
}

/** The commands of a console block; a backslash at the end of a line continues the command. */
export function consoleSteps(text: string): ConsoleStep[] {
  const steps: { command: string; output: string[] }[] = [];
  let continued = false;
  for (const line of text.split('\n')) {
    const step = steps.at(-1);
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [] });
    else if (continued && step) step.command += `\n${line}`;
    else if (step && line.trim() !== '') step.output.push(line);
    continued = line.endsWith('\\') && (line.startsWith('$ ') || continued);
  }
  return steps.map(({ command, output }) => ({ command: command.replace(/\\\n\s*/g, ''), output }));
}
