import { AppError } from '#model/errors.ts';

/** Where in the document: keys and indexes from its root. */
export type Path = readonly (string | number)[];

/** Something wrong with a configuration, before it is known where in the text it stands. */
export interface Finding {
  /** An error keeps the configuration from being used; a warning does not. */
  readonly severity: 'error' | 'warning';
  readonly path: Path;
  readonly message: string;
  /** What to do about it. */
  readonly mend: string;
}

/** A finding with its place in the file. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  /** As a person writes it: `rules[0].evidence[1].signer`; empty for the document. */
  readonly key: string;
  /** From 1; absent when the file could not be read. */
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
  readonly mend: string;
}

/** `rules[0].evidence[1].signer`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** `file:line:column: key: message; mend`. */
export function formatProblem(file: string, problem: Problem): string {
  const place = problem.line === undefined ? file : `${file}:${problem.line}:${problem.column}`;
  const key = problem.key === '' ? '' : ` ${problem.key}:`;
  const kind = problem.severity === 'warning' ? ' warning:' : '';
  // What the YAML parser says is a sentence; here it goes on.
  return `${place}:${kind}${key} ${problem.message.replace(/\.$/, '')}; ${problem.mend}`;
}

/** The configuration cannot be used. The message lists every problem, each with its place and mend. */
export class ConfigError extends AppError {
  readonly file: string;
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[]) {
    const errors = problems.filter((problem) => problem.severity === 'error');
    const count = errors.length === 1 ? '1 problem' : `${errors.length} problems`;
    // Each line names its key and its mend: one of them beside the whole would be said twice, and speak for all.
    super('config-invalid', [`${count} in the configuration`, ...errors.map((p) => formatProblem(file, p))].join('\n'));
    this.name = 'ConfigError';
    this.file = file;
    this.problems = problems;
  }
}
