import type { ImageStore } from '#ledger/image-store.ts';
import type { IndexStore, Note, Register } from '#ledger/index-store.ts';
import { AppError } from '#model/errors.ts';
import type { Outbox, OutboxEntry } from '#model/ledger.ts';

/**
 * Events on their way out. An entry leaves only after its delivery resolved; a relay that dies between the two delivers
 * it again, under the same id.
 */
export function createRedisOutbox(store: ImageStore, index: IndexStore): Outbox {
  async function relay(deliver: (entry: OutboxEntry) => Promise<void>, limit: number): Promise<number> {
    let delivered = 0;
    let failure: unknown;
    for (const { register, note } of await waiting(index, limit)) {
      if (delivered >= limit) break;
      try {
        delivered += await relayImage(register, note, deliver, limit - delivered);
      } catch (error) {
        // One image's trouble must not keep the others from being told.
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return delivered;
  }

  async function relayImage(
    register: Register,
    note: Note,
    deliver: (entry: OutboxEntry) => Promise<void>,
    limit: number,
  ): Promise<number> {
    const entries = await store.outbox(note.name, limit);
    for (const { id, entry } of entries) {
      if (!entry) throw new AppError('internal', `an outbox entry of ${note.name} cannot be read`);
      await deliver(entry);
      await store.removeEntry(note.name, id);
    }
    if (entries.length < limit) await index.unregister(register, note);
    return entries.length;
  }

  return {
    relay,
    async append(image, event) {
      await index.register('pending', image);
      await store.append(image, event.id, { kind: 'event', event });
      await index.register('ready', image);
    },
  };
}

/** Images that have something to tell, and those where a writer may have died before it could say so. */
async function waiting(index: IndexStore, limit: number): Promise<readonly { register: Register; note: Note }[]> {
  const [ready, pending] = await Promise.all([
    index.registered('ready', limit, false),
    index.registered('pending', limit, true),
  ]);
  return [
    ...ready.map((note) => ({ register: 'ready' as const, note })),
    ...pending.map((note) => ({ register: 'pending' as const, note })),
  ];
}
