import * as z from 'zod/mini';
import { readStoredAuth } from '#cli/hooks/stored-auth.ts';
import { AppError } from '#model/errors.ts';
import type { Credential } from '#producer/intake/credential.ts';
import { AUTH_SCHEMES, type WebhookAdapter } from '#producer/webhooks/adapter.ts';

const Text = z.record(z.string(), z.string());

/** A stored request, as samples keep it beside the body. */
const Stored = z.object({
  method: z.optional(z.string()),
  headers: Text,
  query: z.optional(Text),
  auth: z.optional(z.unknown()),
  clock: z.optional(z.string()),
});

export interface StoredRequest {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** What the receiver is configured with; absent: nothing to check against. */
  readonly credential?: Credential;
  /** Files, beside this one, that stand for what would be fetched to check it, by URL. */
  readonly fetched: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly clock?: string;
}

/** The request of a delivery that was fetched from a queue, where there is none. */
export const NO_REQUEST: StoredRequest = { method: 'POST', headers: {}, query: {}, fetched: {} };

/**
 * Reads `{ method, headers, query, auth, clock }`, or a plain object of headers.
 * @throws AppError `config-invalid` naming the member.
 */
export function readStoredRequest(value: unknown, adapter: WebhookAdapter): StoredRequest {
  const plain = Text.safeParse(value);
  if (plain.success) return { ...NO_REQUEST, headers: lowerCase(plain.data) };
  const stored = Stored.safeParse(value);
  if (!stored.success) {
    const at = stored.error.issues[0]?.path.join('.');
    throw unread(at ? `\`${at}\` is missing or of the wrong type` : 'an object is wanted');
  }
  const { method, headers, query, auth, clock } = stored.data;
  const read = auth === undefined ? { fetched: {} } : readStoredAuth(auth, adapter);
  // The value is not quoted: it may hold a real secret.
  if (!read) throw unread(`\`auth\` is not understood; its kind is one of ${AUTH_SCHEMES.join(', ')}`);
  return {
    method: method ?? 'POST',
    headers: lowerCase(headers),
    query: query ?? {},
    ...read,
    ...(clock === undefined ? {} : { clock }),
  };
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
