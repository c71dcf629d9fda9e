import * as z from 'zod/mini';
import { AppError } from '#model/errors.ts';
import { type Announcement, DeliverJob, ImageJob, type Lane } from '#model/job.ts';

/** The lanes whose jobs are about an image. */
export type ImageLane = Exclude<Lane, 'deliver'>;

/** A job as its lane carries it. */
export type LaneJob =
  | {
      readonly lane: ImageLane;
      readonly job: ImageJob;
      /** Every announcement of the image that this run is for, that of the payload among them. */
      readonly announced?: readonly Announcement[];
    }
  | { readonly lane: 'deliver'; readonly job: DeliverJob };

/** Bytes of one payload as JSON. An event holds reasons, never evidence; a job names an image. */
const MAX_PAYLOAD_BYTES = 256 * 1024;

/**
 * Reads a payload on its way in and again on its way out: between the two it lay in Redis.
 * @throws AppError `job-malformed` naming the member that is wrong
 */
export function parsePayload(lane: Lane, payload: unknown): LaneJob {
  return lane === 'deliver'
    ? { lane, job: parse(DeliverJob, lane, payload) }
    : { lane, job: parse(ImageJob, lane, payload) };
}

/** @throws AppError `job-malformed` when the payload is larger than the queue takes */
export function requireSmall(lane: Lane, payload: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(payload) ?? '');
  if (bytes <= MAX_PAYLOAD_BYTES) return;
  throw new AppError('job-malformed', `a ${lane} job of ${bytes} bytes is over the limit of ${MAX_PAYLOAD_BYTES}`);
}

function parse<Schema extends z.ZodMiniType>(schema: Schema, lane: Lane, payload: unknown): z.infer<Schema> {
  const parsed = z.safeParse(schema, payload);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || '(payload)';
  throw new AppError('job-malformed', `a ${lane} job is malformed at ${field}: ${issue?.message ?? 'invalid'}`, {
    field,
  });
}
