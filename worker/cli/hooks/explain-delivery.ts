import type { Assumption } from '#cli/hooks/assume.ts';
import type { StoredRequest } from '#cli/hooks/stored-request.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { SkipReason } from '#model/push-event.ts';
import { answerTo, type Outcome, skippedOutcome } from '#producer/intake/answer.ts';
import { createAuthenticator } from '#producer/intake/authenticate-delivery.ts';
import { type Decision, decide, type Skip } from '#producer/intake/decide.ts';
import type { Outbound } from '#producer/intake/ports.ts';
import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';

/** What a delivery would do, in the words of the recorded samples' expectations. */
export interface Explanation {
  readonly sender: string;
  readonly authentication: 'ok' | 'failed' | 'not-checked';
  /** `2xx`, `401|403`, `400|422`, or the status itself. */
  readonly response: string;
  readonly enqueue: readonly {
    readonly from: string;
    readonly registry: string;
    readonly repository: string;
    readonly tag: string | null;
    readonly digest: string | null;
    readonly ref: string;
  }[];
  readonly skipped: readonly { readonly from: string; readonly reason: SkipReason }[];
  /** What the protocol prescribes word for word, where it does. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly responseBody?: Readonly<Record<string, unknown>>;
  /** What would be fetched on the delivery's word. */
  readonly outbound?: readonly string[];
}

export interface ExplainedDelivery {
  readonly explanation: Explanation;
  /** Why each item was skipped, in words, in the order of `skipped`. */
  readonly messages: readonly string[];
}

/** What a stored delivery is judged with: the files that stand for what would be fetched, and when it arrives. */
export interface Surroundings {
  readonly outbound: Outbound;
  readonly now: () => Date;
}

/** The path of the intake, without Redis: what was accepted before is only known within the delivery. */
export async function explainDelivery(
  adapter: WebhookAdapter,
  request: StoredRequest,
  body: Uint8Array,
  assumption: Assumption,
  surroundings: Surroundings,
): Promise<ExplainedDelivery> {
  const { binding, settings, ownDigests } = assumption;
  const authentication = await check(adapter, request, body, assumption, surroundings);
  if (authentication === 'failed') {
    const response = responseOf(adapter, adapter.answers.unauthenticated);
    const skipped = [{ from: 'request', reason: 'unauthenticated' as const }];
    const explanation = { sender: adapter.id, authentication, response, enqueue: [], skipped };
    return { explanation, messages: ['missing or wrong credential'] };
  }
  const message = `the body is over ${adapter.maxBodyBytes} bytes`;
  const items =
    body.byteLength > adapter.maxBodyBytes
      ? [{ from: 'body', skip: 'too-large' as const, message }]
      : adapter.events({ ...request, body }, settings);
  const decisions = decide(items, binding, {
    ownPush: (_repository, digest) => ownDigests.includes(digest),
    seen: () => false,
  });
  const answer = answerTo(adapter.answers, decisions.map(outcome));
  const skips = decisions.flatMap((decision) => ('skipped' in decision ? [decision.skipped] : []));
  return {
    explanation: {
      sender: adapter.id,
      authentication,
      response: skips.some(({ reply }) => reply) ? String(answer.status) : responseOf(adapter, answer.status),
      enqueue: decisions.flatMap((decision) => {
        return 'enqueue' in decision ? [enqueued(decision.enqueue.from, decision.enqueue.image)] : [];
      }),
      skipped: skips.map(({ from, skip }) => ({ from, reason: skip })),
      ...prescribed(skips),
    },
    messages: skips.map((skip) => skip.message),
  };
}

/** Whose the delivery is, is told without a credential too: a topic of somebody else's is refused in any case. */
async function check(
  adapter: WebhookAdapter,
  request: StoredRequest,
  body: Uint8Array,
  { credential: assumed, settings }: Assumption,
  { outbound, now }: Surroundings,
): Promise<Explanation['authentication']> {
  const { credential: stored = { kind: 'none' } } = request;
  const credential = assumed(stored);
  const authenticator = createAuthenticator(outbound, now);
  const found = await authenticator.authenticate({ adapter, credential, settings }, { ...request, body });
  if (!found.ok) return 'failed';
  return credential.kind === 'none' ? 'not-checked' : 'ok';
}

function prescribed(skips: readonly Skip[]): Partial<Explanation> {
  const reply = skips.find((skip) => skip.reply)?.reply;
  return {
    ...(reply?.headers ? { responseHeaders: reply.headers } : {}),
    ...(reply?.body ? { responseBody: reply.body } : {}),
    ...(skips.some((skip) => skip.confirm) ? { outbound: ['GET SubscribeURL'] } : {}),
  };
}

function outcome(decision: Decision): Outcome {
  if ('enqueue' in decision) {
    const { from, image } = decision.enqueue;
    return { from, status: 'queued', job: '', image: formatImageRef(image) };
  }
  return skippedOutcome(decision.skipped);
}

function enqueued(from: string, image: ImageRef): Explanation['enqueue'][number] {
  const { registry, repository, tag, digest } = image;
  return { from, registry, repository, tag: tag ?? null, digest: digest ?? null, ref: formatImageRef(image) };
}

/** What becomes of a message in a queue takes the place of a status. */
export function responseOf(adapter: WebhookAdapter, status: number): string {
  if (adapter.transport !== 'pull') return vocabulary(status);
  return status < 300 ? 'delete-message' : 'keep-message';
}

/** Samples name a class of answers where the protocol leaves the choice. */
export function vocabulary(status: number): string {
  if (status >= 200 && status < 300) return '2xx';
  if (status === 401 || status === 403) return '401|403';
  return status === 400 || status === 422 ? '400|422' : String(status);
}
