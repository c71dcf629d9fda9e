import { planCommand } from '#cli/backfill/plan.ts';
import { CHANGE_ACTIONS, changeCommand, runCommand, showStatus } from '#cli/backfill/run.ts';
import type { CommandIo } from '#cli/command.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { configFile, loadParts } from '#cli/run-processes.ts';
import { AppError } from '#model/errors.ts';
import { parseHours } from '#reconcile/backfill-hours.ts';
import { createBackfillMemory } from '#redis/backfill-memory.ts';
import { createFirstContact } from '#redis/first-contact.ts';

const USAGE = `
Usage: attestry backfill --plan [--registry NAME]... [--repositories GLOB]... [--concurrency N] [--hours A-B]
       attestry backfill --run [--concurrency N] [--hours A-B] [--timezone ZONE] [--detach]
       attestry backfill status|pause|resume|cancel

Attests the images that registries already hold. --plan lists them and says how many there are, how long it takes, and
how many requests and bytes; nothing is enqueued. --run lets the workers do what was planned, a small window of jobs at
a time behind new pushes, and follows it. Interrupting --run, or killing anything, loses nothing: it goes on.

  --registry NAME       name or id of a configured registry; may be repeated; default: all
  --repositories GLOB   only these, as team/**; may be repeated
  --concurrency N       images at a time, in all workers together (default 4); each worker runs as many as
                        worker.concurrency.backfill allows
  --hours A-B           hours of the day at which it runs, as 22-6
  --timezone ZONE       of these hours, as Europe/Berlin; default: that of this machine
  --detach              do not follow it
  --config FILE         default: $ATTESTRY_CONFIG, else attestry.yaml
  --json                print JSON

Exit: 0 done, 1 some images could not be attested (see dead-letters), 2 could not, 64 usage.
`;

const OPTIONS = {
  config: { type: 'string' },
  plan: { type: 'boolean' },
  run: { type: 'boolean' },
  registry: { type: 'string', multiple: true },
  repositories: { type: 'string', multiple: true },
  concurrency: { type: 'string' },
  hours: { type: 'string' },
  timezone: { type: 'string' },
  detach: { type: 'boolean' },
} as const;

const DEFAULT_CONCURRENCY = 4;
const MOST_CONCURRENCY = 1000;

export async function backfillCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const action = actionOf(values, positionals);
  const concurrency = values.concurrency === undefined ? undefined : wholeOf(values.concurrency);
  const hours = hoursOf(values);
  if (!values.plan && (values.registry || values.repositories)) {
    throw new AppError('usage', '--registry and --repositories belong to --plan', { mend: 'plan anew with them' });
  }
  const parts = await loadParts(configFile(values.config, io), 'backfill', 'none', io);
  await using connection = await parts.connect('store');
  const { prefix } = parts.config.redis;
  const memory = createBackfillMemory(connection.client, { prefix });
  const firstContact = createFirstContact(connection.client, { prefix });
  const shown = { json: values.json === true, quiet: values.quiet === true };
  const settings = { ...(concurrency === undefined ? {} : { concurrency }), ...(hours ? { hours } : {}) };
  switch (action) {
    case 'plan': {
      const wanted = { registries: values.registry ?? [], repositories: values.repositories ?? [] };
      const request = { concurrency: DEFAULT_CONCURRENCY, ...settings, ...wanted, ...shown };
      return await planCommand(parts, connection, request, io);
    }
    case 'run':
      return await runCommand(memory, firstContact, { ...settings, ...shown, detach: values.detach === true }, io);
    case 'status':
      return await showStatus(memory, shown.json, io);
    case 'pause':
    case 'resume':
    case 'cancel':
      return await changeCommand(action, memory, firstContact, shown.json, io);
  }
}

type Action = 'plan' | 'run' | 'status' | (typeof CHANGE_ACTIONS)[number];

function actionOf(
  { plan, run }: { readonly plan?: boolean | undefined; readonly run?: boolean | undefined },
  positionals: readonly string[],
): Action {
  const [word, ...more] = positionals;
  const named = [plan ? ('plan' as const) : [], run ? ('run' as const) : []].flat();
  const known = (['status', ...CHANGE_ACTIONS] as const).find((name) => name === word);
  if (more.length === 0 && (word === undefined || known)) {
    const all: readonly Action[] = [...named, ...(known ? [known] : [])];
    const [only] = all;
    if (only && all.length === 1) return only;
  }
  throw new AppError('usage', 'say one of --plan, --run, status, pause, resume, cancel', { mend: 'see --help' });
}

function wholeOf(text: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= 1 && value <= MOST_CONCURRENCY) return value;
  throw new AppError('usage', `"${text.slice(0, 40)}" is no number of images at a time`, {
    field: '--concurrency',
    mend: `write a number from 1 to ${MOST_CONCURRENCY}`,
  });
}

function hoursOf({ hours, timezone }: { readonly hours?: string | undefined; readonly timezone?: string | undefined }) {
  if (hours !== undefined) return parseHours(hours, timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  if (timezone === undefined) return undefined;
  throw new AppError('usage', '--timezone is of --hours', { field: '--timezone', mend: 'give the hours too' });
}
