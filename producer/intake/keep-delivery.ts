import { isUtf8 } from 'node:buffer';
import type { KeptBounds, KeptDeliveries, KeptDelivery, KeptResult } from '#model/kept-delivery.ts';
import { type Answer, isFault, type Outcome } from '#producer/intake/answer.ts';
import type { ReceivedRequest } from '#producer/intake/intake.ts';
import * as limits from '#producer/intake/limits.ts';
import { redactHeaders, redactQuery, redactText } from '#producer/intake/redact.ts';
import { proofHeaders, secretValues } from '#producer/intake/secret-values.ts';
import { shown } from '#producer/intake/shown.ts';
import type { Source } from '#producer/intake/source.ts';

/** What is kept, and how much of it. */
export interface KeepSettings extends KeptBounds {
  /** `refused`: what was answered as a fault, in whole or in part, and what was not believed. */
  readonly what: 'refused' | 'all' | 'none';
  /** Bytes of one body. */
  readonly bodyBytes: number;
}

export interface KeeperParts {
  readonly settings: KeepSettings;
  readonly store: Pick<KeptDeliveries, 'keep'>;
  /** Throws while Redis has no room for what is only good to have. */
  readonly requireRoom: () => Promise<void>;
  readonly now: () => Date;
  /** Told when one could not be kept. */
  readonly failed: (error: unknown) => void;
}

export interface DeliveryKeeper extends AsyncDisposable {
  /** Returns at once and never throws: the answer waits for nothing here. `request` is the id in log and answer. */
  keep(source: Source, request: ReceivedRequest & { readonly id: string }, answer: Answer): void;
}

/** Keeps deliveries behind the answer: one after another, a bounded number waiting, so many of a source in a minute. */
export function createDeliveryKeeper({ settings, store, requireRoom, now, failed }: KeeperParts): DeliveryKeeper {
  const counts = new Map<string, { minute: number; count: number }>();
  let waiting = 0;
  let closed = false;
  let tail: Promise<void> = Promise.resolve();

  /** One more of a source in this minute; known by whose it is, so that strangers take nobody's place. */
  function mayKeep(source: string, believed: boolean, at: Date): boolean {
    const key = `${believed} ${source}`;
    const minute = Math.floor(at.getTime() / 60_000);
    const before = counts.get(key);
    const count = before?.minute === minute ? before.count + 1 : 1;
    counts.set(key, { minute, count });
    return count <= (believed ? limits.KEPT_PER_MINUTE : limits.KEPT_OF_STRANGERS_PER_MINUTE);
  }

  async function put(make: () => KeptDelivery): Promise<void> {
    if (closed) return;
    try {
      await requireRoom();
      const delivery = make();
      const believed = isBelieved(delivery.result);
      const { bytes, most } = settings;
      const share = believed ? 1 : limits.SHARE_OF_STRANGERS;
      const bounds = { most: Math.ceil(most * share), bytes: Math.ceil(bytes * share), ageMs: settings.ageMs };
      await store.keep(delivery, bounds);
    } catch (error) {
      failed(error);
    }
  }

  return {
    keep(source, request, answer) {
      const outcome = outcomeOf(answer);
      if (closed || !isWanted(settings.what, outcome)) return;
      const at = now();
      if (waiting >= limits.KEPT_WAITING || !mayKeep(source.id, isBelieved(outcome.result), at)) return;
      waiting += 1;
      tail = tail
        .then(() => put(() => keptDelivery(source, request, outcome, at, settings.bodyBytes)))
        .finally(() => {
          waiting -= 1;
        });
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await tail;
    },
  };
}

type Kept = Pick<KeptDelivery, 'result' | 'status' | 'reason' | 'message' | 'enqueued' | 'skipped'>;

/** What the answer says, which is all that the sender was told. */
function outcomeOf({ status, body }: Answer): Kept {
  const results = Array.isArray(body.results) ? (body.results as readonly Outcome[]) : [];
  const enqueued = results.filter(({ status }) => status === 'queued' || status === 'duplicate').length;
  const fault = results.find((one) => one.status === 'skipped' && isFault(one.reason));
  const whole = typeof body.reason === 'string' ? { reason: body.reason, message: String(body.message) } : undefined;
  const found = whole ?? (fault?.status === 'skipped' ? { reason: fault.reason, message: fault.message } : undefined);
  return {
    result: resultOf(whole?.reason, enqueued),
    status,
    ...(found ? { reason: found.reason, message: shown(found.message) } : {}),
    enqueued,
    skipped: results.filter(({ status }) => status === 'skipped').length,
  };
}

function resultOf(reason: string | undefined, enqueued: number): KeptResult {
  if (reason === 'unauthenticated' || reason === 'unavailable') return reason;
  if (enqueued > 0) return 'accepted';
  return reason === undefined ? 'skipped' : 'rejected';
}

function isWanted(what: KeepSettings['what'], { reason }: Kept): boolean {
  return what === 'all' || (what === 'refused' && reason !== undefined);
}

/** Whether somebody whom the source knows sent it, as far as it came to that. */
function isBelieved(result: KeptResult): boolean {
  return result !== 'unauthenticated' && result !== 'unavailable';
}

function keptDelivery(
  source: Source,
  request: ReceivedRequest & { readonly id: string },
  outcome: Kept,
  at: Date,
  bodyBytes: number,
): KeptDelivery {
  const secrets = secretValues(source.credential);
  const bytes = request.body === 'too-large' ? Buffer.alloc(0) : request.body;
  const most = isBelieved(outcome.result) ? bodyBytes : Math.min(bodyBytes, limits.KEPT_BODY_OF_STRANGERS);
  const whole = request.body !== 'too-large' && bytes.byteLength <= most;
  const kept = redactedPart(bytes, whole ? bytes.byteLength : most, secrets.map(asBytes));
  const encoding = isUtf8(kept) ? ('utf8' as const) : ('base64' as const);
  return {
    id: `${at.getTime().toString(36).padStart(9, '0')}-${request.id}`,
    at: at.toISOString(),
    source: source.id,
    sender: source.adapter.id,
    ...outcome,
    method: request.method,
    headers: bounded(redactHeaders(request.headers, secrets, proofHeaders(source.credential))),
    query: bounded(redactQuery(request.query)),
    body: { encoding, text: kept.toString(encoding) },
    ...(request.body === 'too-large' ? {} : { bytes: bytes.byteLength }),
    whole,
  };
}

/**
 * The beginning of a body. More than that is looked at, and taken off again: a secret that the cut goes through could
 * not be told.
 */
function redactedPart(bytes: Uint8Array, most: number, secrets: readonly string[]): Buffer {
  const beyond = bytes.subarray(most, most + limits.LOOKED_AT_BEYOND).byteLength;
  // Each byte is one character, so that nothing that is not UTF-8 is lost on the way.
  const part = Buffer.from(bytes.subarray(0, most + beyond)).toString('latin1');
  const redacted = redactText(part, secrets);
  return Buffer.from(beyond === 0 ? redacted : redacted.slice(0, -beyond).slice(0, most), 'latin1');
}

function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function bounded(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const pairs = Object.entries(headers).slice(0, limits.KEPT_HEADERS);
  return Object.fromEntries(pairs.map(([name, value]) => [shown(name), shown(value)]));
}
