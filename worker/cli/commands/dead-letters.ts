import { type CommandIo, EXIT } from '#cli/command.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { configFile, loadParts } from '#cli/run-processes.ts';
import { AppError } from '#model/errors.ts';
import { createDeadLetters, type DeadLetter, type DeadLetters } from '#queue/dead-letters.ts';
import { createJobQueues } from '#queue/queues.ts';

const USAGE = `
Usage: attestry dead-letters list [--config FILE] [--json]
       attestry dead-letters replay (ID... | --all) [--config FILE]
       attestry dead-letters drop ID... [--config FILE]

Jobs that could not succeed, with the reason of each. A replayed job goes back into its lane.

  --config FILE   default: $ATTESTRY_CONFIG, else attestry.yaml
  --json          print JSON

Exit: 0 done, 2 could not or no such dead letter, 64 usage.
`;

const OPTIONS = { config: { type: 'string' }, all: { type: 'boolean' } } as const;
const MOST = 1000;

export async function deadLettersCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const [action, ...ids] = positionals;
  refuseUnclear(action, ids, values.all === true);
  const parts = await loadParts(configFile(values.config, io), 'dead-letters', 'none', io);
  await using connection = await parts.connect('store');
  const { prefix } = parts.config.redis;
  await using queues = createJobQueues({ connection, prefix });
  await using deadLetters = createDeadLetters({ connection, prefix, queues });
  switch (action) {
    case 'replay':
      if (!values.all) return await each(ids, 'replayed', (id) => deadLetters.replay(id), io);
      io.stdout(`${await deadLetters.replayAll()} replayed\n`);
      return EXIT.ok;
    case 'drop':
      return await each(ids, 'dropped', (id) => deadLetters.drop(id), io);
    default: {
      const letters = await deadLetters.list({ limit: MOST });
      io.stdout(values.json ? `${JSON.stringify(letters, null, 2)}\n` : letters.map(line).join(''));
      return EXIT.ok;
    }
  }
}

/** Before Redis is asked for. @throws AppError `usage`. */
function refuseUnclear(action: string | undefined, ids: readonly string[], all: boolean): void {
  const mend = 'see attestry dead-letters list';
  if (action !== 'list' && action !== 'replay' && action !== 'drop') {
    throw new AppError('usage', 'say list, replay or drop', { mend: 'see --help' });
  }
  if (all && (action !== 'replay' || ids.length > 0)) {
    throw new AppError('usage', '--all goes with replay alone, without an id', { mend: 'see --help' });
  }
  if (action === 'list' ? ids.length > 0 : ids.length === 0 && !all) {
    throw new AppError('usage', action === 'list' ? 'list takes no id' : 'no id is given', { mend });
  }
}

async function each(
  ids: readonly string[],
  verb: string,
  act: (id: string) => ReturnType<DeadLetters['drop']>,
  io: CommandIo,
): Promise<number> {
  let missing = 0;
  for (const id of ids) {
    if (await act(id)) io.stdout(`${id} ${verb}\n`);
    else {
      io.stderr(`${id}: there is no such dead letter\n`);
      missing += 1;
    }
  }
  return missing === 0 ? EXIT.ok : EXIT.error;
}

function line({ id, at, reason }: DeadLetter): string {
  return `${id}\t${at}\t${reason.class}\t${reason.code}\t${reason.message}\n`;
}
