import { type CommandIo, EXIT } from '#cli/command.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { configFile, loadParts } from '#cli/run-processes.ts';
import { configuredRegistries, type ProcessParts } from '#compose/process-parts.ts';
import { createSweeper } from '#compose/sweeps.ts';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import { AppError } from '#model/errors.ts';
import { SweepOptions } from '#model/sweep-options.ts';
import { createJobQueues } from '#queue/queues.ts';
import type { SweepReport } from '#reconcile/sweep.ts';
import { createFirstContact } from '#redis/first-contact.ts';
import { createSweepMemory } from '#redis/sweep-memory.ts';

const USAGE = `
Usage: attestry sweep [--registry NAME]... [--dry-run] [--config FILE] [--json]

Looks registries through for images of which no push was heard, and enqueues them: all that are to be swept by the
configuration, or those that are named. A sweep that was stopped goes on where it was.

  --registry NAME   name or id of a configured registry; may be repeated
  --dry-run         only count: nothing is enqueued or remembered
  --config FILE     default: $ATTESTRY_CONFIG, else attestry.yaml
  --json            print a line of JSON for each registry

Exit: 0 swept, 2 could not, or not all repositories, 64 usage.
`;

export async function sweepCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = parseFlags(args, {
    config: { type: 'string' },
    registry: { type: 'string', multiple: true },
    'dry-run': { type: 'boolean' },
  });
  if (values.help) return showHelp(io, USAGE);
  const parts = await loadParts(configFile(values.config, io), 'sweep', 'none', io);
  const wanted = chosen(parts, values.registry ?? []);
  await using connection = await parts.connect('store');
  const { prefix } = parts.config.redis;
  await using queues = createJobQueues({ connection, prefix });
  const registries = configuredRegistries(parts);
  const ledger = createRedisLedger(connection.client, { prefix, ...parts.config.ledger });
  const memory = createSweepMemory(connection.client, { prefix });
  const firstContact = createFirstContact(connection.client, { prefix });
  const sweeper = createSweeper({
    ...parts,
    registries,
    memory,
    ledger,
    queues,
    firstContact,
    onAsk: async ({ registry, limit }) => {
      io.stderr(
        `${registry} is met for the first time: only ${limit} images are attested before you decide: attestry backfill --plan --registry ${registry}\n`,
      );
    },
  });
  const dryRun = values['dry-run'] === true;
  let failed = 0;
  try {
    for (const { name, settings } of wanted) {
      const progress = (report: SweepReport) => io.stderr(`${words(report, dryRun)}\n`);
      const run = { dryRun, signal: io.signal, ...(values.json ? {} : { progress }) };
      const report = await sweeper.sweep(name, settings, run);
      if (report === 'held') {
        throw new AppError('lock-lost', `${name} is being swept now by a worker`, {
          mend: 'wait for it, or --dry-run',
        });
      }
      failed += report.failed;
      io.stdout(values.json ? `${JSON.stringify({ ...report, dryRun })}\n` : `${words(report, dryRun)}\n`);
    }
  } finally {
    await registries.close();
  }
  return failed > 0 ? EXIT.error : EXIT.ok;
}

function chosen({ config }: ProcessParts, names: readonly string[]) {
  const settingsOf = (one: (typeof config.registries)[number]) => ({
    name: one.name,
    settings: one.sweep ?? SweepOptions.parse({}),
  });
  if (names.length > 0) {
    return names.map((name) => {
      const found = config.registries.find((one) => one.name === name || one.id === name);
      if (found) return settingsOf(found);
      throw new AppError('unknown-registry', `the registry ${name} is not configured`, { field: '--registry' });
    });
  }
  const swept = config.registries.filter(({ sweep }) => sweep !== undefined);
  if (swept.length > 0) return swept.map(settingsOf);
  throw new AppError('usage', 'no registry is to be swept', {
    mend: 'name one with --registry, or give one the key `sweep` in the configuration',
  });
}

function words(report: SweepReport, dryRun: boolean): string {
  const { registry, repositories, resumed, tags, gaps, left, vanished, failed, why } = report;
  const before = resumed > 0 ? `, ${resumed} before` : '';
  const later = left > 0 ? `, ${left} left for the next sweep` : '';
  const not = failed > 0 ? `, ${failed} repositories could not be looked through (${why})` : '';
  const did = dryRun ? 'not known' : 'enqueued';
  return `${registry}: ${repositories} repositories${before}, ${tags} tags, ${gaps} ${did}${later}, ${vanished} vanished${not}`;
}
