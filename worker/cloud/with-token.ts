import type { HeldToken } from '#cloud/held-token.ts';
import { AppError } from '#model/errors.ts';

/**
 * Works with a token; when it is refused, once more with a new one, since tokens may end or be withdrawn early. One
 * that comes back the same is not tried twice.
 */
export async function withToken<Token, Result>(
  token: HeldToken<Token>,
  textOf: (held: Token) => string,
  signal: AbortSignal | undefined,
  work: (held: Token) => Promise<Result>,
): Promise<Result> {
  const held = await token.get(signal);
  try {
    return await work(held);
  } catch (error) {
    if (!(error instanceof AppError) || !REFUSED.includes(error.code)) throw error;
    token.drop(held);
    const renewed = await token.get(signal);
    if (textOf(renewed) === textOf(held)) throw error;
    return await work(renewed);
  }
}

const REFUSED: readonly string[] = ['key-unauthorized', 'key-credentials-expired'];

/** The text of a token in its box. */
export function revealed(token: { reveal(): string }): string {
  return token.reveal();
}
