import type { CommandIo, CommandRun } from '#cli/command.ts';
import { showHelp } from '#cli/flags.ts';
import { HOOKS_USAGE } from '#cli/hooks/usage.ts';
import { AppError } from '#model/errors.ts';

/** Each loaded when it is asked for: `parse` needs neither Redis nor the schema of everything. */
const ACTIONS: Readonly<Record<string, () => Promise<CommandRun>>> = {
  setup: async () => (await import('#cli/hooks/setup.ts')).setupCommand,
  test: async () => (await import('#cli/hooks/try-door.ts')).testCommand,
  deliveries: async () => (await import('#cli/hooks/deliveries.ts')).listDeliveries,
  show: async () => (await import('#cli/hooks/show.ts')).showCommand,
  replay: async () => (await import('#cli/hooks/replay.ts')).replayCommand,
  parse: async () => (await import('#cli/hooks/parse.ts')).parseDelivery,
};

/** `attestry hooks`. @throws AppError `usage`, `config-invalid`, `redis-unavailable`, `network`. */
export async function hooksCommand(args: readonly string[], io: CommandIo): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) return showHelp(io, HOOKS_USAGE);
  // --json and the like may stand before the action.
  const at = args.findIndex((word) => !word.startsWith('-'));
  const action = args[at] ?? '';
  const load = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (load) return (await load())(args.toSpliced(at, 1), io);
  const problem =
    action === '' && args[0] ? `${args[0]} stands there without an action` : `there is no action "${action}"`;
  throw new AppError('usage', problem, {
    mend: `write hooks ${Object.keys(ACTIONS).join(', ')}; see --help`,
  });
}
