import { type CommandIo, EXIT } from '#cli/command.ts';
import { parseFlags } from '#cli/flags.ts';
import { keptById, type OpenKept, openKept, readTime } from '#cli/hooks/kept.ts';
import { openReplay } from '#cli/hooks/replay-intake.ts';
import { notWhole } from '#cli/hooks/show.ts';
import { AppError, toAppError } from '#model/errors.ts';
import type { KeptDelivery } from '#model/kept-delivery.ts';
import type { Outcome } from '#producer/intake/answer.ts';

const OPTIONS = {
  config: { type: 'string' },
  id: { type: 'string', multiple: true },
  since: { type: 'string' },
  until: { type: 'string' },
  source: { type: 'string' },
  unauthenticated: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
} as const;

const MOST = 10_000;

type Values = ReturnType<typeof read>['values'];

function read(args: readonly string[]) {
  return parseFlags(args, OPTIONS);
}

/** What became of one kept delivery. */
interface Replayed {
  readonly id: string;
  readonly source: string;
  /** Absent where it could not be taken again, and `why` says why. */
  readonly results?: readonly Outcome[];
  readonly why?: string;
}

/**
 * `attestry hooks replay`: takes kept deliveries again, on the path of every delivery.
 * @throws AppError `usage`, `config-invalid`, `redis-unavailable`.
 */
export async function replayCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = read(args);
  const ids = [...(values.id ?? []), ...positionals];
  refuseUnclear(ids, values);
  await using kept = await openKept(values.config, io);
  const deliveries = await chosen(kept, ids, values, io);
  await using replay = await openReplay(kept.parts);
  const done: Replayed[] = [];
  for (const delivery of deliveries) {
    io.signal.throwIfAborted();
    const one = await attempt(delivery, values, replay.replay);
    done.push(one);
    if (!values.json) io.stdout(describe(one));
  }
  if (values.json) io.stdout(`${JSON.stringify(done, null, 2)}\n`);
  const failed = done.filter(({ results }) => results === undefined).length;
  if (!values.quiet) io.stderr(`${done.length - failed} replayed, ${failed} not\n`);
  // Of a span of time some cannot be: that is no failure. What was named one by one must have worked.
  return ids.length > 0 && failed > 0 ? EXIT.error : EXIT.ok;
}

async function chosen(
  { store }: OpenKept,
  ids: readonly string[],
  values: Values,
  io: CommandIo,
): Promise<readonly KeptDelivery[]> {
  if (ids.length > 0) return Promise.all(ids.map((id) => keptById(store, id)));
  const since = readTime('--since', values.since, io.now());
  const until = readTime('--until', values.until, io.now());
  const found = await store.list({
    ...(values.source === undefined ? {} : { source: values.source }),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    limit: MOST,
  });
  // In the order in which they came: a later push of a tag is to win again.
  return found.toReversed();
}

async function attempt(
  delivery: KeptDelivery,
  values: Values,
  replay: Awaited<ReturnType<typeof openReplay>>['replay'],
): Promise<Replayed> {
  const { id, source, result } = delivery;
  const believed = result !== 'unauthenticated' && result !== 'unavailable';
  if (!delivery.whole) return { id, source, why: notWhole(delivery) };
  if (!believed && !values.unauthenticated) {
    return { id, source, why: 'nobody knows who sent it; --unauthenticated takes it all the same' };
  }
  try {
    const results = await replay(delivery, { believed, dryRun: values['dry-run'] === true });
    return { id, source, results };
  } catch (error) {
    const { code, message } = toAppError(error);
    if (code === 'redis-unavailable') throw error;
    return { id, source, why: message };
  }
}

/** Before Redis is asked for. @throws AppError `usage`. */
function refuseUnclear(ids: readonly string[], { since, until, source }: Values): void {
  const mend = 'write --id ID, or --since TIME with --until and --source';
  const spans = since !== undefined || until !== undefined || source !== undefined;
  if (ids.length > 0 && spans) throw new AppError('usage', 'ids and a span of time exclude each other', { mend });
  if (ids.length === 0 && since === undefined) throw new AppError('usage', 'nothing says what to replay', { mend });
}

function describe({ id, source, results, why }: Replayed): string {
  if (results === undefined) return `${id}\t${source}\tnot replayed: ${why}\n`;
  const lines = results.map((one) => {
    if (one.status === 'skipped') return `  skip     ${one.from}  ${one.reason}: ${one.message}`;
    const what = one.status === 'queued' ? 'enqueue' : one.status === 'duplicate' ? 'waiting' : 'would';
    return `  ${what.padEnd(7)}  ${one.from}  ${one.image}`;
  });
  return `${[`${id}\t${source}`, ...lines].join('\n')}\n`;
}
