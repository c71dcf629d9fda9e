import { durableQueues } from '#compose/durable-queues.ts';
import type { ProcessParts } from '#compose/process-parts.ts';
import { AppError } from '#model/errors.ts';
import { type KeptDelivery, keptBody } from '#model/kept-delivery.ts';
import type { Outcome } from '#producer/intake/answer.ts';
import type { Credential } from '#producer/intake/credential.ts';
import { createIntake } from '#producer/intake/intake.ts';
import { bindSource, boundRegistries, type Source } from '#producer/intake/source.ts';
import { TRIAL_HEADER } from '#producer/intake/trial.ts';
import { createJobQueues } from '#queue/queues.ts';
import { createDeliveryIds } from '#redis/delivery-ids.ts';
import { createEvidenceWatch } from '#redis/evidence-watch.ts';
import { createMemoryGuard } from '#redis/memory-guard.ts';
import { createOwnPushes } from '#redis/own-pushes.ts';
import { createRateGuard } from '#redis/rate-guard.ts';

export interface ReplayOptions {
  /** Whether it was authenticated when it came. */
  readonly believed: boolean;
  /** Judge it, and do nothing. */
  readonly dryRun: boolean;
}

export interface Replay extends AsyncDisposable {
  /** @throws AppError `usage` when its source is gone, `redis-unavailable`. */
  replay(delivery: KeptDelivery, options: ReplayOptions): Promise<readonly Outcome[]>;
}

/** The intake of the producer without its door: the same queue, the same memory of what was accepted. */
export async function openReplay(parts: ProcessParts): Promise<Replay> {
  const { config, now } = parts;
  const { prefix } = config.redis;
  await using stack = new AsyncDisposableStack();
  const connection = await parts.connect('producer');
  stack.defer(() => connection.close());
  const redis = connection.client;
  const queued = stack.use(createJobQueues({ connection, prefix, memory: createMemoryGuard(connection) }));
  const queues = await durableQueues(queued, connection, parts, stack);
  const intake = createIntake({
    ports: {
      queue: queues,
      ownPushes: createOwnPushes(redis, { prefix }),
      evidence: createEvidenceWatch(redis, { prefix }),
      deliveries: createDeliveryIds(redis, { prefix }),
      rate: createRateGuard(redis, { prefix }),
      // The address that would confirm a subscription is one of the secrets that were taken out.
      outbound: { get: async () => new Uint8Array() },
    },
    now,
    observe: () => {},
  });
  const registries = boundRegistries(config.registries);
  const owned = stack.move();

  function sourceOf(delivery: KeptDelivery, believed: boolean): Source {
    const options = config.sources.find(({ id }) => id === delivery.source);
    if (options?.sender !== delivery.sender) {
      throw new AppError('usage', `the source ${delivery.source} of the sender ${delivery.sender} is not configured`, {
        mend: 'configure it again, or announce the image by POST /v1/images',
      });
    }
    const { ratePerHour, auth } = options;
    const credential = believed && auth.kind !== 'none' ? CHECKED_THEN : NOBODYS;
    return { id: options.id, ...bindSource(options, registries), credential, ratePerHour, cause: 'push' };
  }

  return {
    async replay(delivery, { believed, dryRun }) {
      const { method, query } = delivery;
      const headers = { ...delivery.headers, ...(dryRun ? { [TRIAL_HEADER]: 'true' } : {}) };
      const request = { method, headers, query, body: keptBody(delivery), traceparent: parts.traceparent() };
      const answer = await intake.replay(sourceOf(delivery, believed), request);
      return Array.isArray(answer.body.results) ? (answer.body.results as readonly Outcome[]) : [];
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Stands for the credential that was found good when the delivery came; nothing is checked against it again. */
const CHECKED_THEN: Credential = { kind: 'bearer', bearers: [] };

/** As an open door: no name and no order of tags is believed. */
const NOBODYS: Credential = { kind: 'none' };
