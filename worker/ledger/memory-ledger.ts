import { advance, knownOutcome } from '#ledger/advance.ts';
import { transitionId } from '#ledger/transition-id.ts';
import type {
  DueItem,
  Ledger,
  Observation,
  OpenAlert,
  Outbox,
  OutboxEntry,
  StateRecord,
  Transition,
} from '#model/ledger.ts';
import { type Removal, removalField } from '#model/removal.ts';

interface ImageEntry {
  tag: string | undefined;
  readonly states: Map<string, StateRecord>;
  readonly due: Map<string, Date>;
  readonly alerts: Map<string, OpenAlert>;
}

const HISTORY_LIMIT = 100;

/** The ledger without Redis: for the command line, and for tests of what stands on a ledger. Same rules, no memory. */
export function createMemoryLedger(): Ledger & Outbox {
  const images = new Map<string, ImageEntry>();
  // These two outlive the image, as in Redis.
  const sequences = new Map<string, number>();
  const histories = new Map<string, Transition[]>();
  const outbox = new Map<string, OutboxEntry>();
  const removed = new Map<string, Map<string, Removal>>();

  function entryOf(image: string): ImageEntry {
    const entry = images.get(image) ?? { tag: undefined, states: new Map(), due: new Map(), alerts: new Map() };
    images.set(image, entry);
    return entry;
  }

  async function record(observation: Observation): Promise<Transition | undefined> {
    const { image } = observation;
    const policyUri = observation.verdict.policy.uri;
    const entry = entryOf(image);
    const counter = `${image}\n${policyUri}`;
    const state = entry.states.get(policyUri);
    const alert = entry.alerts.get(policyUri);
    const known = { ...(state ? { state } : {}), ...(alert ? { alert } : {}), sequence: sequences.get(counter) ?? 0 };
    const next = advance(known, observation);
    if (!next) return undefined;
    entry.tag = observation.tag ?? entry.tag;
    entry.states.set(policyUri, next.state);
    entry.due.set(policyUri, observation.nextDue);
    sequences.set(counter, next.state.sequence);
    if (next.alert.kind === 'open') entry.alerts.set(policyUri, next.alert.alert);
    if (next.alert.kind === 'close') entry.alerts.delete(policyUri);
    if (next.transition) tell(next.transition);
    return next.transition;
  }

  function tell(transition: Transition): void {
    const history = histories.get(transition.image) ?? [];
    histories.set(transition.image, [transition, ...history].slice(0, HISTORY_LIMIT));
    outbox.set(transitionId(transition), { kind: 'transition', transition });
  }

  function everyDue(): DueItem[] {
    return [...images].flatMap(([image, { tag, due }]) =>
      [...due].map(([policyUri, at]) => ({ image, policyUri, due: at, ...(tag === undefined ? {} : { tag }) })),
    );
  }

  async function makeDue(filter: { policyUri?: string; image?: string }, now: Date): Promise<number> {
    const items = everyDue().filter(
      (item) =>
        (filter.image === undefined || item.image === filter.image) &&
        (filter.policyUri === undefined || item.policyUri === filter.policyUri),
    );
    for (const { image, policyUri, due } of items) if (due > now) entryOf(image).due.set(policyUri, now);
    return items.length;
  }

  async function forget(image: string, at: Date, policyUri?: string): Promise<void> {
    const entry = images.get(image);
    if (!entry) return;
    const gone = [...entry.states.values()].filter((state) => !policyUri || state.policyUri === policyUri);
    if (gone.some((state) => state.lastCheckedAt > at.toISOString())) return;
    for (const { policyUri: uri } of gone) for (const part of [entry.states, entry.due, entry.alerts]) part.delete(uri);
    if (entry.states.size === 0) images.delete(image);
  }

  async function relay(deliver: (entry: OutboxEntry) => Promise<void>, limit: number): Promise<number> {
    const batch = [...outbox].slice(0, limit);
    for (const [id, entry] of batch) {
      await deliver(entry);
      outbox.delete(id);
    }
    return batch.length;
  }

  return {
    record,
    makeDue,
    forget,
    relay,
    async noteRemoval(image, removal) {
      const known = removed.get(image) ?? new Map<string, Removal>();
      removed.set(image, known);
      const isNew = !known.has(removalField(removal));
      if (isNew) known.set(removalField(removal), removal);
      return isNew;
    },
    removals: async (image) => [...(removed.get(image)?.values() ?? [])].sort((a, b) => (a.at < b.at ? 1 : -1)),
    async noteReturn(image, tag) {
      removed.get(image)?.delete('deleted');
      if (tag !== undefined) removed.get(image)?.delete(removalField({ kind: 'untagged', tag }));
    },
    async append(_image, event) {
      if (!outbox.has(event.id)) outbox.set(event.id, { kind: 'event', event });
    },
    async latest(image) {
      const states = [...(images.get(image)?.states.values() ?? [])];
      return states.sort((a, b) => (a.policyUri < b.policyUri ? -1 : 1));
    },
    history: async (image, limit) => (histories.get(image) ?? []).slice(0, limit),
    async due(now, limit) {
      const ready = everyDue().filter((item) => item.due <= now);
      return ready.sort((a, b) => a.due.getTime() - b.due.getTime()).slice(0, limit);
    },
    async defer(item, until) {
      const due = images.get(item.image)?.due;
      if (due?.get(item.policyUri)?.getTime() === item.due.getTime()) due.set(item.policyUri, until);
    },
    openAlerts: async (limit) => [...images.values()].flatMap(({ alerts }) => [...alerts.values()]).slice(0, limit),
    async coverage() {
      const byOutcome: Record<string, number> = {};
      for (const { states } of images.values()) {
        const outcome = knownOutcome([...states.values()]);
        if (outcome) byOutcome[outcome] = (byOutcome[outcome] ?? 0) + 1;
      }
      return { images: images.size, byOutcome };
    },
    async images(cursor, limit) {
      const names = [...images.keys()].sort().filter((name) => cursor === undefined || name > cursor);
      const page = names.slice(0, limit);
      const last = page.at(-1);
      return { images: page, ...(page.length === limit && last !== undefined ? { cursor: last } : {}) };
    },
  };
}
