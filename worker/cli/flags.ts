import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { AppError } from '#model/errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Flags that every command takes. */
const COMMON = {
  help: { type: 'boolean', short: 'h' },
  quiet: { type: 'boolean', short: 'q' },
  json: { type: 'boolean' },
} as const satisfies Options;

type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O & typeof COMMON; allowPositionals: true; strict: true }>
>;

/**
 * Parses the arguments of one command.
 * @throws AppError `usage` naming the flag.
 */
export function parseFlags<const O extends Options>(args: readonly string[], options: O): Parsed<O> {
  try {
    return parseArgs({
      args: [...args],
      options: { ...COMMON, ...options },
      allowPositionals: true,
      strict: true,
    }) as Parsed<O>;
  } catch (error) {
    throw new AppError('usage', error instanceof Error ? error.message : String(error), { mend: 'see --help' });
  }
}

/** Prints the usage text; answers the exit code of a command that was asked for help. */
export function showHelp(io: CommandIo, usage: string): number {
  io.stdout(`${usage.trim()}\n`);
  return EXIT.ok;
}

/** The one positional argument of a command. @throws AppError `usage`. */
export function onlyPositional(positionals: readonly string[], what: string): string {
  const [first, second] = positionals;
  if (first === undefined) throw new AppError('usage', `${what} is missing`, { mend: 'see --help' });
  if (second !== undefined) throw new AppError('usage', `one ${what} only, not also "${second}"`);
  return first;
}

/** The repository of `--repository R` (exactly R) or `--oci-repo R` (`R/container`, as valint lays it out). */
export function evidenceRepository(values: {
  readonly repository?: string | undefined;
  readonly 'oci-repo'?: string | undefined;
}): string | undefined {
  if (values.repository !== undefined && values['oci-repo'] !== undefined) {
    throw new AppError('usage', '--repository and --oci-repo exclude each other', {
      mend: '--repository R is the exact repository, --oci-repo R is R/container',
    });
  }
  return values['oci-repo'] === undefined ? values.repository : `${values['oci-repo'].replace(/\/+$/, '')}/container`;
}
