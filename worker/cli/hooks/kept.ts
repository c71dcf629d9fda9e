import type { CommandIo } from '#cli/command.ts';
import { configFile, loadParts } from '#cli/run-processes.ts';
import type { ProcessParts } from '#compose/process-parts.ts';
import { AppError } from '#model/errors.ts';
import type { KeptDeliveries, KeptDelivery } from '#model/kept-delivery.ts';
import { parseDuration } from '#model/settings.ts';
import { createKeptDeliveries } from '#redis/kept-deliveries.ts';

/** The kept deliveries of an installation, and what it is made of. */
export interface OpenKept extends AsyncDisposable {
  readonly parts: ProcessParts;
  readonly store: KeptDeliveries;
}

/** @throws AppError `config-invalid`, `redis-unavailable`. */
export async function openKept(config: string | undefined, io: CommandIo): Promise<OpenKept> {
  const parts = await loadParts(configFile(config, io), 'hooks', 'none', io);
  const connection = await parts.connect('store');
  return {
    parts,
    store: createKeptDeliveries(connection.client, { prefix: parts.config.redis.prefix }),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** @throws AppError `usage` when there is none by this id: it went, or never was. */
export async function keptById(store: KeptDeliveries, id: string): Promise<KeptDelivery> {
  const found = await store.get(id);
  if (found) return found;
  throw new AppError('usage', `no delivery "${id}" is kept`, {
    mend: 'attestry hooks deliveries lists them; how many and for how long, producer.deliveries says',
  });
}

/** `2026-03-02T10:00:00Z`, or how long ago: `90m`. @throws AppError `usage`. */
export function readTime(flag: string, text: string | undefined, now: Date): Date | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago !== undefined) return new Date(now.getTime() - ago);
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text);
  throw new AppError('usage', `${flag}: "${text.slice(0, 40)}" is not a time`, {
    mend: 'write ISO 8601, e.g. 2026-03-02T10:15:00Z, or how long ago: 30m, 6h, 2d',
  });
}
