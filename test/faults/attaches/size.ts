/** Where the evidence lies, and who keeps the list of it. */
export const FORMS = ['legacy', 'fallback', 'referrers'] as const;
export type Form = (typeof FORMS)[number];

/** How much is attached, and how much goes wrong meanwhile. */
export interface AttachSize {
  readonly digests: number;
  /** Attaches to each digest. */
  readonly each: number;
  readonly workers: number;
  readonly kills: number;
  /** Workers that stand still for a moment. */
  readonly stops: number;
  /** Workers that stand still for longer than any lease. */
  readonly longStops: number;
  /** Runs of `cosign attest` meanwhile. */
  readonly foreign: number;
}

const SMALL = { workers: 8, kills: 4, stops: 3, longStops: 1, foreign: 24 };
const FULL = { workers: 8, kills: 60, stops: 60, longStops: 10, foreign: 300 };

const SIZES: Readonly<Record<'small' | 'full', Readonly<Record<Form, AttachSize>>>> = {
  small: {
    legacy: { ...SMALL, digests: 8, each: 50 },
    fallback: { ...SMALL, digests: 10, each: 20 },
    referrers: { ...SMALL, digests: 10, each: 20 },
  },
  full: {
    legacy: { ...FULL, digests: 100, each: 100 },
    fallback: { ...FULL, digests: 250, each: 40 },
    referrers: { ...FULL, digests: 250, each: 40 },
  },
};

type Settings = Readonly<Record<string, string | undefined>>;

/** What is asked for: `small`, `full`, or `DIGESTSxEACH`, with its share of what goes wrong in the full one. */
export function sizeOf(form: Form, { ATTESTRY_TEST_ATTACHES: wanted = 'small' }: Settings): AttachSize {
  if (wanted === 'small' || wanted === 'full') return SIZES[wanted][form];
  const [, digests, each] = /^(\d{1,4})x(\d{1,3})$/.exec(wanted) ?? [];
  if (digests === undefined || each === undefined) {
    throw new Error(`ATTESTRY_TEST_ATTACHES is ${wanted}: write small, full, or DIGESTSxEACH such as 20x50`);
  }
  const share = (many: number) => Math.ceil((many * Number(digests) * Number(each)) / 10_000);
  const { kills, stops, longStops, foreign } = FULL;
  return {
    digests: Number(digests),
    each: Number(each),
    workers: FULL.workers,
    kills: share(kills),
    stops: share(stops),
    longStops: share(longStops),
    foreign: share(foreign),
  };
}

/** The seed of a run: what is asked for, or one that is printed. */
export function seedOf({ ATTESTRY_TEST_SEED: wanted }: Settings, fresh: () => number): number {
  if (wanted === undefined) return fresh();
  if (!/^\d{1,9}$/.test(wanted)) throw new Error(`ATTESTRY_TEST_SEED is ${wanted}: write a whole number`);
  return Number(wanted);
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
