import { oneLine } from '#events/bounded.ts';
import { cloudEvent, type EventContext } from '#events/cloud-event.ts';
import type { SweepFailingData, SweepRecoveredData } from '#events/event-data.ts';
import type { AppError } from '#model/errors.ts';
import type { CloudEvent } from '#model/event.ts';
import type { SweepStop } from '#model/sweep.ts';

/** The sweep of a registry cannot come to its end. One event, however long it lasts. */
export function sweepFailing(
  { registry, stop, error }: { readonly registry: string; readonly stop: SweepStop; readonly error: AppError },
  context: EventContext,
): CloudEvent<SweepFailingData> {
  const since = stop.since.toISOString();
  const retryAt = stop.retryAt.toISOString();
  const message = oneLine(
    `the sweep of ${registry} cannot come to its end since ${since}, and is tried again at ${retryAt}: ${error.message}`,
  );
  const about = { subject: `registries/${registry}`, identity: [registry, since, 'sweep-failing'] };
  const data = { message, registry, since, retryAt, code: error.code, reason: oneLine(error.message) };
  return cloudEvent('dev.attestry.sweep.failing.v1', about, data, context);
}

/** It came to its end after all. */
export function sweepRecovered(
  { registry, since: first }: { readonly registry: string; readonly since: Date },
  context: EventContext,
): CloudEvent<SweepRecoveredData> {
  const since = first.toISOString();
  const message = oneLine(`the sweep of ${registry} came to its end, after it could not since ${since}`);
  const about = { subject: `registries/${registry}`, identity: [registry, since, 'sweep-recovered'] };
  return cloudEvent('dev.attestry.sweep.recovered.v1', about, { message, registry, since }, context);
}
