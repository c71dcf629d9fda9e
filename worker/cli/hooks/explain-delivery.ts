import type { Assumption } from '#cli/hooks/assume.ts';
import type { StoredRequest } from '#cli/hooks/stored-request.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { SkipReason } from '#model/push-event.ts';
import { answerTo, type Outcome } from '#producer/intake/answer.ts';
import { authenticate } from '#producer/intake/authenticate.ts';
import { type Decision, decide } from '#producer/intake/decide.ts';
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
}

export interface ExplainedDelivery {
  readonly explanation: Explanation;
  /** Why each item was skipped, in words, in the order of `skipped`. */
  readonly messages: readonly string[];
}

/** The pure path of the intake, without Redis: what was accepted before is only known within the delivery. */
export function explainDelivery(
  adapter: WebhookAdapter,
  request: StoredRequest,
  body: Uint8Array,
  { binding, ownDigests }: Assumption,
): ExplainedDelivery {
  const authentication = check(request);
  if (authentication === 'failed') {
    const response = vocabulary(adapter.answers.unauthenticated);
    const skipped = [{ from: 'request', reason: 'unauthenticated' as const }];
    const explanation = { sender: adapter.id, authentication, response, enqueue: [], skipped };
    return { explanation, messages: ['missing or wrong credential'] };
  }
  const message = `the body is over ${adapter.maxBodyBytes} bytes`;
  const items =
    body.byteLength > adapter.maxBodyBytes
      ? [{ from: 'body', skip: 'too-large' as const, message }]
      : adapter.events({ ...request, body });
  const decisions = decide(items, binding, {
    ownPush: (_repository, digest) => ownDigests.includes(digest),
    seen: () => false,
  });
  const { status } = answerTo(adapter.answers, decisions.map(outcome));
  const skips = decisions.flatMap((decision) => ('skipped' in decision ? [decision.skipped] : []));
  return {
    explanation: {
      sender: adapter.id,
      authentication,
      response: vocabulary(status),
      enqueue: decisions.flatMap((decision) => {
        return 'enqueue' in decision ? [enqueued(decision.enqueue.from, decision.enqueue.image)] : [];
      }),
      skipped: skips.map(({ from, skip }) => ({ from, reason: skip })),
    },
    messages: skips.map((skip) => skip.message),
  };
}

function check({ credential, headers }: StoredRequest): Explanation['authentication'] {
  if (credential === undefined || credential.kind === 'none') return 'not-checked';
  return authenticate(credential, headers).ok ? 'ok' : 'failed';
}

function outcome(decision: Decision): Outcome {
  if ('enqueue' in decision) {
    const { from, image } = decision.enqueue;
    return { from, status: 'queued', job: '', image: formatImageRef(image) };
  }
  const { from, skip, message, status } = decision.skipped;
  return { from, status: 'skipped', reason: skip, message, ...(status === undefined ? {} : { answer: status }) };
}

function enqueued(from: string, image: ImageRef): Explanation['enqueue'][number] {
  const { registry, repository, tag, digest } = image;
  return { from, registry, repository, tag: tag ?? null, digest: digest ?? null, ref: formatImageRef(image) };
}

/** Samples name a class of answers where the protocol leaves the choice. */
export function vocabulary(status: number): string {
  if (status >= 200 && status < 300) return '2xx';
  if (status === 401 || status === 403) return '401|403';
  return status === 400 || status === 422 ? '400|422' : String(status);
}
