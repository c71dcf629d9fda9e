import type { Redis } from 'ioredis';
import type { Advance } from '#ledger/advance.ts';
import { APPEND_ENTRY } from '#ledger/scripts/append-entry.ts';
import { COMMIT_STATE } from '#ledger/scripts/commit-state.ts';
import { DROP_STATE } from '#ledger/scripts/drop-state.ts';
import { parseAlert, parseEntry, parseHistory, parseState } from '#ledger/stored-records.ts';
import { transitionId } from '#ledger/transition-id.ts';
import type { OpenAlert, OutboxEntry, StateRecord, Transition } from '#model/ledger.ts';
import type { Keys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';

/** What lies in Redis of one image, as of a revision. */
export interface ImageSnapshot {
  readonly revision: string;
  readonly states: ReadonlyMap<string, StateRecord>;
  readonly sequences: Readonly<Record<string, string>>;
  readonly alerts: ReadonlyMap<string, OpenAlert>;
}

export interface StoredEntry {
  readonly id: string;
  /** Undefined when it cannot be read. */
  readonly entry: OutboxEntry | undefined;
}

/** An image that comes back within this time goes on counting its sequences. */
const KEEP_FORGOTTEN_MS = 400 * 24 * 3_600_000;

/** The keys of single images: the truth that the indexes are made from. Every write is one script on one node. */
export class ImageStore {
  readonly #redis: Redis;
  readonly #keys: Keys;
  readonly #historyLimit: number;

  constructor(redis: Redis, keys: Keys, historyLimit: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#historyLimit = historyLimit;
  }

  /** Makes a policy of an image known before its first state is, so that forgetting the image can undo its due time. */
  async announce(image: string, policyUri: string): Promise<void> {
    await redisCall('announce in ledger', this.#redis.hsetnx(this.#keys.image(image).sequences, policyUri, '0'));
  }

  async read(image: string): Promise<ImageSnapshot> {
    const keys = this.#keys.image(image);
    const read = Promise.all([
      // First: whatever changes while the rest is read, changes the revision that a write must name.
      this.#redis.hget(keys.head, 'revision'),
      this.#redis.hgetall(keys.states),
      this.#redis.hgetall(keys.sequences),
      this.#redis.hgetall(keys.alerts),
    ]);
    const [revision, states, sequences, alerts] = await redisCall('read ledger', read);
    return {
      revision: revision ?? '0',
      states: parseAll(states, parseState),
      sequences,
      alerts: parseAll(alerts, parseAlert),
    };
  }

  /** Answers the new revision, or undefined when another wrote since the snapshot. */
  async commit(snapshot: ImageSnapshot, { state, transition, alert }: Advance, tag = ''): Promise<number | undefined> {
    const keys = this.#keys.image(state.image);
    const entry = transition ? JSON.stringify({ kind: 'transition', transition } satisfies OutboxEntry) : '';
    const revision = await runScript(
      this.#redis,
      COMMIT_STATE,
      [keys.head, keys.states, keys.sequences, keys.alerts, keys.history, keys.outbox, keys.outboxEntries],
      [
        snapshot.revision,
        state.policyUri,
        JSON.stringify(state),
        state.sequence,
        tag,
        alert.kind,
        alert.kind === 'open' ? JSON.stringify(alert.alert) : '',
        transition ? transitionId(transition) : '',
        entry,
        this.#historyLimit,
      ],
    );
    return Number(revision) || undefined;
  }

  /** Answers the new revision, or undefined when another wrote since the snapshot. */
  async drop(image: string, snapshot: ImageSnapshot, policyUri = ''): Promise<number | undefined> {
    const keys = this.#keys.image(image);
    const revision = await runScript(
      this.#redis,
      DROP_STATE,
      [keys.head, keys.states, keys.sequences, keys.alerts, keys.history],
      [snapshot.revision, policyUri, KEEP_FORGOTTEN_MS],
    );
    return Number(revision) || undefined;
  }

  async history(image: string, limit: number): Promise<readonly Transition[]> {
    const texts = this.#redis.lrange(this.#keys.image(image).history, 0, limit - 1);
    return limit > 0 ? parseHistory(await redisCall('read history', texts)) : [];
  }

  async policies(image: string): Promise<readonly string[]> {
    return redisCall('read ledger', this.#redis.hkeys(this.#keys.image(image).states));
  }

  async alert(image: string, policyUri: string): Promise<OpenAlert | undefined> {
    return parseAlert(await redisCall('read alert', this.#redis.hget(this.#keys.image(image).alerts, policyUri)));
  }

  async append(image: string, id: string, entry: OutboxEntry): Promise<void> {
    const keys = this.#keys.image(image);
    await runScript(
      this.#redis,
      APPEND_ENTRY,
      [keys.head, keys.outbox, keys.outboxEntries],
      [id, JSON.stringify(entry)],
    );
  }

  /** The oldest entries of an image's outbox, in the order of writing. */
  async outbox(image: string, limit: number): Promise<readonly StoredEntry[]> {
    const keys = this.#keys.image(image);
    const ids = await redisCall('read outbox', this.#redis.zrange(keys.outbox, 0, `${limit - 1}`));
    if (ids.length === 0) return [];
    const texts = await redisCall('read outbox', this.#redis.hmget(keys.outboxEntries, ...ids));
    return ids.map((id, at) => ({ id, entry: parseEntry(texts[at]) }));
  }

  async removeEntry(image: string, id: string): Promise<void> {
    const keys = this.#keys.image(image);
    // Order first: an entry without its place is never told again, a place without its entry would never go.
    await redisCall('clear outbox', this.#redis.multi().zrem(keys.outbox, id).hdel(keys.outboxEntries, id).exec());
  }
}

function parseAll<Item>(
  fields: Readonly<Record<string, string>>,
  read: (text: string) => Item | undefined,
): ReadonlyMap<string, Item> {
  const items = new Map<string, Item>();
  for (const [field, text] of Object.entries(fields)) {
    const item = read(text);
    if (item !== undefined) items.set(field, item);
  }
  return items;
}
