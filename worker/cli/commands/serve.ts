import type { CommandIo } from '#cli/command.ts';
import { runUntilSignal } from '#cli/run-processes.ts';
import { startServe } from '#compose/serve.ts';

const USAGE = `
Usage: attestry serve [--config FILE]

Runs producer and worker in one process.

  --config FILE   default: $ATTESTRY_CONFIG, else attestry.yaml
`;

export function serveCommand(args: readonly string[], io: CommandIo): Promise<number> {
  return runUntilSignal('attestry', 'all', USAGE, args, io, startServe);
}
