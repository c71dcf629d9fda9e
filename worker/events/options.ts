import * as z from 'zod';
import { HttpUrl, Id, Uri } from '#model/settings.ts';

/** How this installation names itself: in events, in alerts, and in the statements that it signs. */
export const InstanceOptions = z.strictObject({
  id: Id.prefault('attestry').describe('Name of this installation; part of the source of its events and of alerts.'),
  url: HttpUrl.exactOptional().describe('Address of the installation for people; events and alerts link to it.'),
  builderId: Uri.prefault('https://attestry.dev/builder/registry-observer/v1').describe(
    'builder.id of the provenance that is made here. Statements are recognised as own by it: keep it stable.',
  ),
});
export type InstanceOptions = z.output<typeof InstanceOptions>;
