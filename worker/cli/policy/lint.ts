import { type CommandIo, EXIT } from '#cli/command.ts';
import { lintText } from '#cli/policy/lint-text.ts';
import { lintSarif } from '#cli/policy/sarif.ts';
import { readText } from '#cli/read-text.ts';
import { AppError } from '#model/errors.ts';
import type { LintFinding } from '#policy/lint/finding.ts';
import { lintPolicies } from '#policy/lint/lint-policies.ts';

interface Values {
  readonly format?: string | undefined;
  readonly 'fail-on'?: string | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const FORMATS = {
  text: lintText,
  json: (findings: readonly LintFinding[]) => `${JSON.stringify({ findings }, null, 2)}\n`,
  sarif: lintSarif,
} as const;

/** Lints files; answers the exit code. @throws AppError `usage`, and for a file that cannot be read. */
export async function lintCommand(files: readonly string[], values: Values, io: CommandIo): Promise<number> {
  if (files.length === 0) throw new AppError('usage', 'FILE is missing', { mend: 'name the files of the policies' });
  const write = formatOf(values);
  const failing = failingSeverities(values['fail-on'] ?? 'warning');
  const texts = await Promise.all(files.map((file) => readText(io, 'FILE', file)));
  const findings = texts.flatMap((text, at) => lintPolicies(text, files[at] ?? ''));
  if (!values.quiet) io.stdout(write(findings));
  if (findings.some(({ code }) => code === 'not-yaml')) return EXIT.error;
  return findings.some(({ severity }) => failing.includes(severity)) ? EXIT.fail : EXIT.ok;
}

function formatOf({ format = 'text', json }: Values): (findings: readonly LintFinding[]) => string {
  if (json && format !== 'text' && format !== 'json') {
    throw new AppError('usage', `--json does not go with --format ${format}`);
  }
  const name = json ? 'json' : format;
  if (name === 'text' || name === 'json' || name === 'sarif') return FORMATS[name];
  throw new AppError('usage', `there is no --format ${name.slice(0, 40)}`, { mend: 'write text, json or sarif' });
}

function failingSeverities(level: string): readonly string[] {
  if (level === 'warning') return ['error', 'warning'];
  if (level === 'error') return ['error'];
  throw new AppError('usage', `there is no --fail-on ${level.slice(0, 40)}`, { mend: 'write warning or error' });
}
