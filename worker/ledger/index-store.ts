import type { Redis } from 'ioredis';
import { COUNT_IMAGE } from '#ledger/scripts/count-image.ts';
import { LIST_REGISTERED } from '#ledger/scripts/list-registered.ts';
import { MOVE_DUE } from '#ledger/scripts/move-due.ts';
import { REGISTER } from '#ledger/scripts/register.ts';
import { UNREGISTER } from '#ledger/scripts/unregister.ts';
import type { Coverage, DueItem } from '#model/ledger.ts';
import type { Outcome } from '#model/verdict.ts';
import type { Keys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';
import { runScript } from '#redis/script.ts';

/** A note that something may lie at an image, and when it was made (server time, microseconds, as text). */
export interface Note {
  readonly name: string;
  readonly score: string;
}

/** The registers: notes that are made before what they announce, and removed only when nothing is there. */
export type Register = 'pending' | 'ready' | 'alerts';

const MICROSECONDS = 1_000_000;
/** Longer than any write takes between its note and what it announces. */
const SETTLED_AFTER_S = 60;

/** Image and policy as one member of an index; neither holds a line break. */
export function memberOf(image: string, policyUri: string): string {
  return `${image}\n${policyUri}`;
}

export function splitMember(member: string): { image: string; policyUri: string } {
  const [image = '', policyUri = ''] = member.split('\n');
  return { image, policyUri };
}

/** The indexes over all images, on a node of their own: no script can write them together with an image. */
export class IndexStore {
  readonly #redis: Redis;
  readonly #keys: Keys['index'];

  constructor(redis: Redis, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys.index;
  }

  /** Makes an image findable before anything is written of it; an item that is new is due until it is settled. */
  async announce(image: string, policyUri: string, at: Date): Promise<void> {
    const done = Promise.all([
      this.#redis.zadd(this.#keys.images, 0, image),
      this.#redis.zadd(this.#keys.due, 'NX', at.getTime(), memberOf(image, policyUri)),
      this.register('pending', image),
    ]);
    await redisCall('announce in ledger', done);
  }

  async setDue(image: string, policyUri: string, due: Date): Promise<void> {
    await redisCall('set due', this.#redis.zadd(this.#keys.due, due.getTime(), memberOf(image, policyUri)));
  }

  /** Brings a due time forward, and makes an item that the index lost due again. */
  async bringForward(image: string, policyUris: readonly string[], now: Date): Promise<void> {
    const members = policyUris.flatMap((uri) => [now.getTime(), memberOf(image, uri)]);
    if (members.length > 0) await redisCall('make due', this.#redis.zadd(this.#keys.due, 'LT', ...members));
  }

  async due(now: Date, limit: number): Promise<readonly DueItem[]> {
    const range = this.#redis.zrangebyscore(this.#keys.due, '-inf', now.getTime(), 'WITHSCORES', 'LIMIT', 0, limit);
    const notes = pairs(await redisCall('read due', range));
    if (notes.length === 0) return [];
    const items = notes.map(({ name, score }) => ({ ...splitMember(name), due: new Date(Number(score)) }));
    const tags = this.#redis.hmget(this.#keys.tags, ...items.map((item) => item.image));
    const known = await redisCall('read due', tags);
    return items.map((item, at) => {
      const tag = known[at];
      return { ...item, ...(tag ? { tag } : {}) };
    });
  }

  async defer(item: DueItem, until: Date): Promise<void> {
    const member = memberOf(item.image, item.policyUri);
    await runScript(this.#redis, MOVE_DUE, [this.#keys.due], [member, item.due.getTime(), until.getTime()]);
  }

  async setTag(image: string, tag: string): Promise<void> {
    await redisCall('set tag', this.#redis.hset(this.#keys.tags, image, tag));
  }

  async register(register: Register, name: string): Promise<void> {
    await runScript(this.#redis, REGISTER, [this.#keys[register]], [name]);
  }

  /** The oldest notes; `settled` leaves out those whose writer may still be at work. */
  async registered(register: Register, limit: number, settled: boolean): Promise<readonly Note[]> {
    const age = settled ? SETTLED_AFTER_S * MICROSECONDS : 0;
    return pairs((await runScript(this.#redis, LIST_REGISTERED, [this.#keys[register]], [age, limit])) as string[]);
  }

  /** Removes a note behind which nothing was found; one that may still be followed by something stays. */
  async unregister(register: Register, note: Note): Promise<void> {
    // What is ready was there before its note; what is announced comes after it.
    const age = register === 'ready' ? 0 : SETTLED_AFTER_S * MICROSECONDS;
    await runScript(this.#redis, UNREGISTER, [this.#keys[register]], [note.name, note.score, age]);
  }

  /** @param revision of the image that the outcome was taken from */
  async count(image: string, revision: number, outcome: Outcome | undefined): Promise<void> {
    const keys = [this.#keys.worst, this.#keys.coverage];
    await runScript(this.#redis, COUNT_IMAGE, keys, [image, revision, outcome ?? '']);
  }

  async coverage(): Promise<Coverage> {
    const counts = await redisCall('read coverage', this.#redis.hgetall(this.#keys.coverage));
    const byOutcome: Record<string, number> = {};
    let images = 0;
    for (const [outcome, text] of Object.entries(counts)) {
      const count = Number(text);
      if (!(count > 0)) continue;
      byOutcome[outcome] = count;
      images += count;
    }
    return { images, byOutcome };
  }

  async images(after: string | undefined, limit: number): Promise<readonly string[]> {
    const from = after === undefined ? '-' : `(${after}`;
    return redisCall('list images', this.#redis.zrangebylex(this.#keys.images, from, '+', 'LIMIT', 0, limit));
  }

  async dropPolicies(image: string, policyUris: readonly string[]): Promise<void> {
    const members = policyUris.map((uri) => memberOf(image, uri));
    if (members.length > 0) await redisCall('drop due', this.#redis.zrem(this.#keys.due, ...members));
  }

  async dropImage(image: string): Promise<void> {
    const done = Promise.all([this.#redis.zrem(this.#keys.images, image), this.#redis.hdel(this.#keys.tags, image)]);
    await redisCall('drop image', done);
  }
}

function pairs(flat: readonly string[]): readonly Note[] {
  const notes: Note[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) notes.push({ name: flat[at] ?? '', score: flat[at + 1] ?? '' });
  return notes;
}
