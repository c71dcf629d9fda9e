import * as z from 'zod/mini';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import type { Credential } from '#producer/intake/authenticate.ts';

const Text = z.record(z.string(), z.string());

/** A stored request, as samples keep it beside the body. */
const Stored = z.object({
  method: z.optional(z.string()),
  headers: Text,
  query: z.optional(Text),
  auth: z.optional(z.unknown()),
  clock: z.optional(z.string()),
});

const Auth = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('bearer'), value: z.string() }),
  z.object({ kind: z.literal('basic'), username: z.string(), password: z.string() }),
  z.object({ kind: z.literal('static-header'), header: z.string(), value: z.string() }),
]);

export interface StoredRequest {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** What the receiver is configured with; absent: nothing to check against. */
  readonly credential?: Credential;
  /** ISO 8601. */
  readonly clock?: string;
}

/**
 * Reads `{ method, headers, query, auth, clock }`, or a plain object of headers.
 * @throws AppError `config-invalid` naming the member.
 */
export function readStoredRequest(value: unknown): StoredRequest {
  const plain = Text.safeParse(value);
  if (plain.success) return { method: 'POST', headers: lowerCase(plain.data), query: {} };
  const stored = Stored.safeParse(value);
  if (!stored.success) {
    const at = stored.error.issues[0]?.path.join('.');
    throw unread(at ? `\`${at}\` is missing or of the wrong type` : 'an object is wanted');
  }
  const { method, headers, query, auth, clock } = stored.data;
  return {
    method: method ?? 'POST',
    headers: lowerCase(headers),
    query: query ?? {},
    ...(auth === undefined ? {} : { credential: readCredential(auth) }),
    ...(clock === undefined ? {} : { clock }),
  };
}

function readCredential(value: unknown): Credential {
  const parsed = Auth.safeParse(value);
  // The value is not quoted: it may hold a real secret.
  if (!parsed.success) throw unread('`auth` is not understood; its kind is none, bearer, basic or static-header');
  const auth = parsed.data;
  switch (auth.kind) {
    case 'none':
      return { kind: 'none' };
    case 'bearer':
      return { kind: 'bearer', bearers: [{ tokens: () => [secret(auth.value)] }] };
    case 'basic':
      return { kind: 'basic', username: auth.username, passwords: () => [secret(auth.password)] };
    case 'static-header':
      return { kind: 'static-header', header: auth.header, values: () => [secret(auth.value)] };
  }
}

function secret(value: string): Secret {
  return new Secret(value, '--headers auth');
}

function lowerCase(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function unread(why: string): AppError {
  return new AppError('config-invalid', why, {
    field: '--headers',
    mend: 'write { "method", "headers", "query", "auth", "clock" }, or an object of header names and values',
  });
}
