import type { CommandIo } from '#cli/command.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { lintCommand } from '#cli/policy/lint.ts';
import { AppError } from '#model/errors.ts';

const USAGE = `
Usage: attestry policy lint FILE... [--fail-on warning|error] [--format text|json|sarif]

lint     lists what is certainly wrong with policies by their text alone: where it stands, what it
         does in admission, and the mend. FILE holds Kyverno's ClusterPolicy, Policy or
         ImageValidatingPolicy, or policy-controller's ClusterImagePolicy; several documents allowed.
         Nothing is fetched

  --fail-on LEVEL    warning (default): errors and warnings are findings; error: errors alone.
                     Notes, such as deprecations, never are
  --format FORMAT    text (default), json, or sarif (2.1.0) for code scanning
  --json             the same as --format json
  --quiet            print nothing but errors of reading

Exit: 0 clean, 1 findings, 2 a file or document could not be read, 64 wrong usage.
`;

const FLAGS = {
  'fail-on': { type: 'string' },
  format: { type: 'string' },
} as const;

/** `attestry policy lint`. */
export async function policyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, FLAGS);
  if (values.help) return showHelp(io, USAGE);
  const [verb, ...files] = positionals;
  if (verb === 'lint') return await lintCommand(files, values, io);
  const given = verb === undefined ? 'nothing is asked' : `there is no "policy ${verb}"`;
  throw new AppError('usage', given, { mend: 'write lint FILE...' });
}
