import type { LintCode, Severity } from '#policy/lint/catalogue.ts';

/** Members and indexes from the document down. */
export type Path = readonly (string | number)[];

/** A trap, where it stands. */
export interface Trap {
  readonly code: LintCode;
  readonly path: Path;
  /** What stands there, or what exactly is wrong. */
  readonly found?: string;
  /** In place of the catalogue's. */
  readonly mend?: string;
}

/** A trap as it is told. */
export interface LintFinding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `Kind/name`. */
  readonly policy: string;
  readonly code: LintCode;
  readonly severity: Severity;
  /** `spec.rules[0].…` */
  readonly clause: string;
  readonly message: string;
  readonly effect: string;
  readonly mend: string;
}

export function clauseOf(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** The path of a clause as reasons write it. */
export function pathOf(clause: string): Path {
  return [...clause.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([part, index]) =>
    index === undefined ? part : Number(index),
  );
}
