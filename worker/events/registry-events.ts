import { oneLine } from '#events/bounded.ts';
import { cloudEvent, type EventContext } from '#events/cloud-event.ts';
import type { BackfillNeededData, ResumedData, SuspendedData } from '#events/event-data.ts';
import type { CloudEvent } from '#model/event.ts';

/** A registry is left alone for a while. One event, however long it lasts. */
export function registrySuspended(
  { registry, since, restMs }: { readonly registry: string; readonly since: Date; readonly restMs: number },
  context: EventContext,
): CloudEvent<SuspendedData> {
  const retryAt = new Date(context.now.getTime() + restMs).toISOString();
  const message = oneLine(`registry ${registry} fails again and again: left alone, and tried again at ${retryAt}`);
  const about = { subject: `registries/${registry}`, identity: [registry, since.toISOString(), 'suspended'] };
  const data = { message, registry, since: since.toISOString(), retryAt };
  return cloudEvent('dev.attestry.registry.suspended.v1', about, data, context);
}

/** It answers again. */
export function registryResumed(
  { registry, since }: { readonly registry: string; readonly since: Date },
  context: EventContext,
): CloudEvent<ResumedData> {
  const message = oneLine(`registry ${registry} answers again, after it was left alone since ${since.toISOString()}`);
  const about = { subject: `registries/${registry}`, identity: [registry, since.toISOString(), 'resumed'] };
  const data = { message, registry, since: since.toISOString() };
  return cloudEvent('dev.attestry.registry.resumed.v1', about, data, context);
}

/** A registry is met for the first time and has many images. One event a day until somebody decides. */
export function backfillNeeded(
  need: { readonly registry: string; readonly images: number; readonly limit: number },
  context: EventContext,
): CloudEvent<BackfillNeededData> {
  const { registry, images, limit } = need;
  const next = `attestry backfill --plan --registry ${registry}`;
  const message = oneLine(
    `registry ${registry} has ${images} images or more that are not known, and only ${limit} are attested without asking: run ${next}`,
  );
  const about = { subject: `registries/${registry}`, identity: [registry, context.now.toISOString().slice(0, 10)] };
  return cloudEvent('dev.attestry.backfill.needed.v1', about, { message, registry, images, limit, next }, context);
}
