import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { createProcessParts, type ProcessParts } from '#compose/process-parts.ts';
import { loadConfig } from '#config/load.ts';
import type { OutsideScope } from '#config/outside.ts';

/** The configuration file: `--config`, else `ATTESTRY_CONFIG`, else `attestry.yaml` here. */
export function configFile(flag: string | undefined, io: Pick<CommandIo, 'env'>): string {
  return flag ?? io.env.ATTESTRY_CONFIG ?? 'attestry.yaml';
}

/** Reads the configuration and builds what processes start from. */
export async function loadParts(file: string, name: string, scope: OutsideScope, io: CommandIo): Promise<ProcessParts> {
  const config = await loadConfig(file, { readFile: io.readFile, env: io.env }, scope);
  return createProcessParts(config, name, {
    env: io.env,
    readFile: io.readFile,
    readFileSync: (path) => readFileSync(path),
    now: io.now,
    randomBytes: (count) => randomBytes(count),
  });
}

/** Runs a long-lived process until its signal, then ends it in order. */
export async function runUntilSignal(
  name: string,
  scope: OutsideScope,
  usage: string,
  args: readonly string[],
  io: CommandIo,
  start: (parts: ProcessParts) => Promise<AsyncDisposable>,
): Promise<number> {
  const { values } = parseFlags(args, { config: { type: 'string' } });
  if (values.help) return showHelp(io, usage);
  const parts = await loadParts(configFile(values.config, io), name, scope, io);
  await using _running = await start(parts);
  if (!io.signal.aborted) await once(io.signal, 'abort');
  parts.log.info({}, 'stopping');
  return EXIT.ok;
}
