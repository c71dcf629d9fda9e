import type { CommandIo } from '#cli/command.ts';
import { runUntilSignal } from '#cli/run-processes.ts';
import { startWorker } from '#compose/worker.ts';

const USAGE = `
Usage: attestry worker [--config FILE]

Runs a worker. Start as many as you like: each takes jobs from the same Redis.

  --config FILE   default: $ATTESTRY_CONFIG, else attestry.yaml
`;

export function workerCommand(args: readonly string[], io: CommandIo): Promise<number> {
  return runUntilSignal('worker', 'worker', USAGE, args, io, startWorker);
}
