import { type CommandIo, EXIT } from '#cli/command.ts';
import { parseFlags } from '#cli/flags.ts';
import { openKept, readTime } from '#cli/hooks/kept.ts';
import { AppError } from '#model/errors.ts';
import type { KeptDelivery } from '#model/kept-delivery.ts';

const OPTIONS = {
  config: { type: 'string' },
  source: { type: 'string' },
  refused: { type: 'boolean' },
  since: { type: 'string' },
  until: { type: 'string' },
  limit: { type: 'string' },
} as const;

const DEFAULT_LIMIT = 50;
const MOST = 1000;

/** `attestry hooks deliveries`: what was kept, newest first. @throws AppError `usage`, `redis-unavailable`. */
export async function listDeliveries(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (positionals.length > 0) throw new AppError('usage', 'deliveries takes no argument', { mend: 'see --help' });
  const limit = readLimit(values.limit);
  const since = readTime('--since', values.since, io.now());
  const until = readTime('--until', values.until, io.now());
  await using kept = await openKept(values.config, io);
  const found = await kept.store.list({
    ...(values.source === undefined ? {} : { source: values.source }),
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    // What is not wanted is taken out afterwards, and must not use the limit up.
    limit: values.refused ? MOST : limit,
  });
  const wanted = (values.refused ? found.filter(isRefused) : found).slice(0, limit);
  io.stdout(values.json ? `${JSON.stringify(wanted, null, 2)}\n` : wanted.map(lineOf).join(''));
  if (wanted.length === 0 && !values.json && !values.quiet) {
    const { keep } = kept.parts.config.producer.deliveries;
    io.stderr(`none is kept (producer.deliveries.keep: ${keep})\n`);
  }
  return EXIT.ok;
}

/** Not believed, or a fault in whole or in part: what somebody should look at. */
function isRefused({ reason }: KeptDelivery): boolean {
  return reason !== undefined;
}

function lineOf({ id, at, source, result, status, reason, message }: KeptDelivery): string {
  const why = reason === undefined ? '' : `\t${reason}: ${message ?? ''}`;
  return `${id}\t${at}\t${source}\t${status} ${result}${why}\n`;
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST) return limit;
  throw new AppError('usage', '--limit is not a number of deliveries', { mend: `write 1 to ${MOST}` });
}
