import { alertOfTransition, transitionEvent } from '#events/verdict-events.ts';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { CloudEvent } from '#model/event.ts';
import { type DeliverJob, JOB_VERSION } from '#model/job.ts';
import type { Outbox, OutboxEntry } from '#model/ledger.ts';
import type { JobQueues } from '#queue/queues.ts';
import type { Sink } from '#sinks/sink.ts';
import type { Metrics } from '#telemetry/metrics.ts';

export type Dispatch = (event: CloudEvent) => Promise<void>;

/** Makes one delivery job for each sink that wants an event; the same event again is the same job. */
export function createDispatch(
  sinks: readonly Pick<Sink, 'id' | 'wants'>[],
  queues: Pick<JobQueues, 'enqueueDelivery'>,
): Dispatch {
  return async (event) => {
    for (const sink of sinks.filter((each) => each.wants(event))) {
      const job = { v: JOB_VERSION, sink: sink.id, event: { ...event } } as const;
      await queues.enqueueDelivery(job, sha256Hex(`${sink.id}\n${event.id}`));
    }
  };
}

/** Hands what the outbox holds to the sinks' delivery jobs; an entry leaves it only once those are in Redis. */
export async function relayOutbox(
  outbox: Outbox,
  dispatch: Dispatch,
  context: { readonly source: string; now(): Date },
  limit: number,
): Promise<number> {
  return outbox.relay(async (entry) => {
    for (const event of eventsOf(entry, { source: context.source, now: context.now() })) await dispatch(event);
  }, limit);
}

function eventsOf(entry: OutboxEntry, context: { readonly source: string; readonly now: Date }): readonly CloudEvent[] {
  if (entry.kind === 'event') return [entry.event];
  const alert = alertOfTransition(entry.transition, context);
  return [transitionEvent(entry.transition, context), ...(alert ? [alert] : [])];
}

/** Delivers one event to its sink. @throws AppError as the sink; `sink-rejected` when the sink is configured no more. */
export async function runDelivery(
  job: DeliverJob,
  sinks: ReadonlyMap<string, Sink>,
  metrics: Pick<Metrics, 'count'>,
  signal: AbortSignal,
): Promise<void> {
  const sink = sinks.get(job.sink);
  if (!sink) {
    throw new AppError('sink-rejected', `the sink ${job.sink} is not configured any more`, {
      mend: 'configure it again and replay, or drop the dead letter',
    });
  }
  try {
    await sink.deliver(job.event as unknown as CloudEvent, signal);
    metrics.count('attestry_events_delivered_total', { sink: sink.id, result: 'delivered' });
  } catch (error) {
    const rejected = error instanceof AppError && error.code === 'sink-rejected';
    metrics.count('attestry_events_delivered_total', {
      sink: sink.id,
      result: rejected ? 'rejected' : 'unavailable',
    });
    throw error;
  }
}
