import * as z from 'zod/mini';
import type { Delivery, SkippedItem } from '#producer/webhooks/adapter.ts';
import { readJson } from '#producer/webhooks/json.ts';

/** A text that may be left out; senders write null as well. */
export const Text = z.nullish(z.string());

/** Members that nothing hinges on: a wrong type counts as absent and does not cost the event. */
export function decoration<T extends z.ZodMiniType>(schema: T) {
  return z.catch(z.optional(schema), undefined);
}

export type PayloadReading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly skipped: SkippedItem };

/** A value as the sender documents it, or the item that says which member is of the wrong type. */
export function readPayload<T extends z.ZodMiniType>(
  from: string,
  schema: T,
  value: unknown,
): PayloadReading<z.output<T>> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const at = parsed.error.issues[0]?.path.join('.');
  const message = at ? `\`${at}\` has the wrong type` : 'not an object';
  return { ok: false, skipped: { from, skip: 'malformed', message } };
}

/** The body as JSON, or the one item that says why not. */
export function readBodyJson(delivery: Pick<Delivery, 'body'>): PayloadReading<unknown> {
  const json = readJson(delivery.body);
  if (json.ok) return json;
  return { ok: false, skipped: { from: 'body', skip: json.reason, message: json.message } };
}

export function missing(from: string, field: string): SkippedItem {
  return { from, skip: 'missing-field', message: `no \`${field}\`` };
}

/** The host of a URL, with its port when it is written. */
export function hostOfUrl(url: string | null | undefined): string | undefined {
  return url && URL.canParse(url) ? new URL(url).host : undefined;
}

/** The given hosts without those that the event leaves out. */
export function claimed(...hosts: readonly (string | null | undefined)[]): readonly string[] {
  return hosts.filter((host): host is string => Boolean(host));
}

/** Drops the members that are absent or empty: senders write an empty text where nothing is known. */
export function present<K extends string>(
  members: Readonly<Record<K, string | null | undefined>>,
): { readonly [Key in K]?: string } {
  const entries = Object.entries(members).filter(([, value]) => typeof value === 'string' && value !== '');
  return Object.fromEntries(entries) as { readonly [Key in K]?: string };
}
