import { oneLine } from '#events/bounded.ts';
import { cloudEvent, type EventContext } from '#events/cloud-event.ts';
import type { HeardAgainData, SilentData } from '#events/event-data.ts';
import type { CloudEvent } from '#model/event.ts';

/** A source that used to speak is silent for longer than is usual. One event, however long it lasts. */
export function sourceSilent(
  { source, last, patienceMs }: { readonly source: string; readonly last: Date; readonly patienceMs: number },
  context: EventContext,
): CloudEvent<SilentData> {
  const lastHeard = last.toISOString();
  const expectedBy = new Date(last.getTime() + patienceMs).toISOString();
  const message = oneLine(`source ${source} is silent since ${lastHeard}, and was expected by ${expectedBy}`);
  const about = { subject: `sources/${source}`, identity: [source, lastHeard, 'silent'] };
  return cloudEvent('dev.attestry.source.silent.v1', about, { message, source, lastHeard, expectedBy }, context);
}

/** It speaks again. */
export function sourceHeardAgain(
  { source, since, heardAt }: { readonly source: string; readonly since: Date; readonly heardAt: Date },
  context: EventContext,
): CloudEvent<HeardAgainData> {
  const silentSince = since.toISOString();
  const message = oneLine(`source ${source} speaks again, after it was silent since ${silentSince}`);
  const about = { subject: `sources/${source}`, identity: [source, silentSince, 'heard-again'] };
  const data = { message, source, silentSince, heardAt: heardAt.toISOString() };
  return cloudEvent('dev.attestry.source.heard-again.v1', about, data, context);
}
