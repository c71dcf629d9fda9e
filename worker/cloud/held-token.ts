/** Something that lets us in for a while. `until` is when it ends; absent: as long as it is taken. */
export interface Pass<Value> {
  readonly value: Value;
  readonly until?: Date;
}

export interface HeldToken<Value> {
  /** The one at hand, or a new one when it ends soon. */
  get(signal?: AbortSignal): Promise<Value>;
  /** Called when it was refused: the next one is new. */
  drop(value: Value): void;
}

/** Renewed this long before its end, so that none ends on its way. */
const MARGIN_MS = 5 * 60_000;

/**
 * Keeps a token until shortly before its end; asked for by many at once, it is fetched once.
 * @param spread from 0 to 1, for each token anew: how much earlier it is renewed, so that many processes that began at
 * once do not all renew at once.
 */
export function holdToken<Value>(
  fetch: (signal?: AbortSignal) => Promise<Pass<Value>>,
  now: () => Date,
  spread: () => number = () => 0,
): HeldToken<Value> {
  let held: Pass<Value> | undefined;
  let since = 0;
  let earlier = 0;
  let fetching: Promise<Value> | undefined;

  async function renew(signal: AbortSignal | undefined): Promise<Value> {
    try {
      held = await fetch(signal);
      since = now().getTime();
      earlier = spread();
      return held.value;
    } finally {
      fetching = undefined;
    }
  }

  function isFresh({ until }: Pass<Value>): boolean {
    if (until === undefined) return true;
    // One that lives for minutes only is renewed at the last fifth of its life.
    const margin = Math.min(MARGIN_MS, (until.getTime() - since) / 5);
    return until.getTime() - now().getTime() > margin * (1 + earlier);
  }

  return {
    get: async (signal) => {
      if (held && isFresh(held)) return held.value;
      fetching ??= renew(signal);
      return await fetching;
    },
    drop: (value) => {
      if (held?.value === value) held = undefined;
    },
  };
}
