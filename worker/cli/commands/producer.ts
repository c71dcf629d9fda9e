import type { CommandIo } from '#cli/command.ts';
import { runUntilSignal } from '#cli/run-processes.ts';
import { startProducer } from '#producer/main.ts';

const USAGE = `
Usage: attestry producer [--config FILE]

Runs the webhook receiver and the API. A push is acknowledged only when its job is in Redis.

  --config FILE   default: $ATTESTRY_CONFIG, else attestry.yaml
`;

export function producerCommand(args: readonly string[], io: CommandIo): Promise<number> {
  return runUntilSignal('producer', 'producer', USAGE, args, io, startProducer);
}
