/** A token for one scope; `expiresAt` is early enough for the request that uses it. */
export interface CachedToken {
  readonly value: string;
  readonly expiresAt: number;
}

/** Tokens by scope, each asked for once at a time. */
export class TokenCache {
  readonly #tokens = new Map<string, CachedToken>();
  readonly #flights = new Map<string, Promise<CachedToken>>();
  readonly #limit: number;
  readonly #now: () => Date;

  constructor(limit: number, now: () => Date) {
    this.#limit = limit;
    this.#now = now;
  }

  /** A token that is still good. */
  get(scope: string): string | undefined {
    const token = this.#tokens.get(scope);
    if (token === undefined) return undefined;
    if (token.expiresAt > this.#now().getTime()) return token.value;
    this.#tokens.delete(scope);
    return undefined;
  }

  /** Drops a token that was refused, unless another took its place meanwhile. */
  forget(scope: string, value: string): void {
    if (this.#tokens.get(scope)?.value === value) this.#tokens.delete(scope);
  }

  /** Joins the request for this scope that is under way, or starts one. */
  async renew(scope: string, ask: () => Promise<CachedToken>): Promise<string> {
    const underWay = this.#flights.get(scope);
    if (underWay) return (await underWay).value;
    const flight = ask();
    this.#flights.set(scope, flight);
    try {
      const token = await flight;
      this.#remember(scope, token);
      return token.value;
    } finally {
      this.#flights.delete(scope);
    }
  }

  values(): readonly string[] {
    return [...this.#tokens.values()].map((token) => token.value);
  }

  #remember(scope: string, token: CachedToken): void {
    this.#tokens.delete(scope);
    this.#tokens.set(scope, token);
    // The oldest goes first: an installation with more repositories than this asks again now and then.
    const oldest = this.#tokens.keys().next();
    if (this.#tokens.size > this.#limit && !oldest.done) this.#tokens.delete(oldest.value);
  }
}
