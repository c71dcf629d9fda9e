import type { Redis } from 'ioredis';
import { advance, type Known, knownOutcome } from '#ledger/advance.ts';
import { type ImageSnapshot, ImageStore } from '#ledger/image-store.ts';
import { IndexStore, memberOf, splitMember } from '#ledger/index-store.ts';
import { createRedisOutbox } from '#ledger/redis-outbox.ts';
import { createRemovalStore } from '#ledger/removal-store.ts';
import { AppError } from '#model/errors.ts';
import type { Ledger, Observation, OpenAlert, Outbox, Transition } from '#model/ledger.ts';
import { createKeys } from '#redis/keys.ts';

export interface RedisLedgerOptions {
  readonly prefix: string;
  /** Changes kept for each image. */
  readonly history?: number;
}

const HISTORY = 100;

/** Writers of one image at the same moment are few: the lock of its evidence keeps them apart. */
const CONFLICTS = 50;
const PAGE = 200;

/**
 * The ledger in Redis. An image's own keys are the truth; the indexes lie on another node, so they are written before
 * (findable, should we crash) and settled after. Everything here may be repeated.
 */
export function createRedisLedger(redis: Redis, options: RedisLedgerOptions): Ledger & Outbox {
  const keys = createKeys(options.prefix);
  const store = new ImageStore(redis, keys, options.history ?? HISTORY);
  const index = new IndexStore(redis, keys);

  async function record(observation: Observation): Promise<Transition | undefined> {
    const { image, verdict, tag } = observation;
    const policyUri = verdict.policy.uri;
    await Promise.all([store.announce(image, policyUri), index.announce(image, policyUri, observation.at)]);
    for (let conflict = 0; conflict < CONFLICTS; conflict++) {
      const snapshot = await store.read(image);
      const next = advance(knownOf(snapshot, policyUri), observation);
      if (!next) return undefined;
      const alarms = next.alert.kind === 'open';
      if (alarms) await index.register('alerts', memberOf(image, policyUri));
      const revision = await store.commit(snapshot, next, tag);
      if (revision === undefined) continue;
      const states = new Map(snapshot.states).set(policyUri, next.state);
      await Promise.all([
        index.setDue(image, policyUri, observation.nextDue),
        index.count(image, revision, knownOutcome([...states.values()])),
        tag === undefined ? undefined : index.setTag(image, tag),
        next.transition ? index.register('ready', image) : undefined,
        alarms ? index.register('alerts', memberOf(image, policyUri)) : undefined,
      ]);
      return next.transition;
    }
    throw new AppError('write-conflict', `the ledger entry of ${image} is written by too many at once`);
  }

  async function makeDue(filter: { policyUri?: string; image?: string }, now: Date): Promise<number> {
    if (filter.image !== undefined) return makeImageDue(filter.image, filter.policyUri, now);
    let made = 0;
    for (let after: string | undefined; ; ) {
      const page = await index.images(after, PAGE);
      const counts = await Promise.all(page.map((image) => makeImageDue(image, filter.policyUri, now)));
      made = counts.reduce((sum, count) => sum + count, made);
      after = page.at(-1);
      if (page.length < PAGE) return made;
    }
  }

  /** Goes by what is known, not by the index, which is so put right. */
  async function makeImageDue(image: string, policyUri: string | undefined, now: Date): Promise<number> {
    const policies = await store.policies(image);
    const wanted = policyUri === undefined ? policies : policies.filter((uri) => uri === policyUri);
    await index.bringForward(image, wanted, now);
    return wanted.length;
  }

  async function openAlerts(limit: number): Promise<readonly OpenAlert[]> {
    // A page more than asked for: notes of alerts that were closed are cleared here, some at each look.
    const notes = await index.registered('alerts', limit + PAGE, false);
    const found = await Promise.all(
      notes.map(async (note) => {
        const { image, policyUri } = splitMember(note.name);
        const alert = await store.alert(image, policyUri);
        if (!alert) await index.unregister('alerts', note);
        return alert;
      }),
    );
    return found.filter((alert) => alert !== undefined).slice(0, limit);
  }

  async function forget(image: string, at: Date, policyUri?: string): Promise<void> {
    for (let conflict = 0; conflict < CONFLICTS; conflict++) {
      const snapshot = await store.read(image);
      const gone = [...snapshot.states.values()].filter((state) => !policyUri || state.policyUri === policyUri);
      // Somebody has seen it since.
      if (gone.some((state) => state.lastCheckedAt > at.toISOString())) return;
      const revision = await store.drop(image, snapshot, policyUri);
      if (revision === undefined) continue;
      const left = [...snapshot.states.values()].filter((state) => !gone.includes(state));
      await index.dropPolicies(image, policyUri ? [policyUri] : Object.keys(snapshot.sequences));
      await index.count(image, revision, knownOutcome(left));
      if (left.length === 0) await index.dropImage(image);
      return;
    }
    throw new AppError('write-conflict', `the ledger entry of ${image} is written by too many at once`);
  }

  return {
    record,
    makeDue,
    openAlerts,
    forget,
    async latest(image) {
      return [...(await store.read(image)).states.values()].sort((a, b) => (a.policyUri < b.policyUri ? -1 : 1));
    },
    history: (image, limit) => store.history(image, limit),
    due: (now, limit) => index.due(now, limit),
    defer: (item, until) => index.defer(item, until),
    coverage: () => index.coverage(),
    async images(cursor, limit) {
      const images = await index.images(cursor, limit);
      const last = images.at(-1);
      return { images, ...(images.length === limit && last !== undefined ? { cursor: last } : {}) };
    },
    ...createRemovalStore(redis, keys),
    ...createRedisOutbox(store, index),
  };
}

function knownOf(snapshot: ImageSnapshot, policyUri: string): Known {
  const state = snapshot.states.get(policyUri);
  const alert = snapshot.alerts.get(policyUri);
  return {
    sequence: Number(snapshot.sequences[policyUri] ?? 0),
    ...(state ? { state } : {}),
    ...(alert ? { alert } : {}),
  };
}
