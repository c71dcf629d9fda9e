import * as z from 'zod';
import { type AwsService, callAws, openAwsService } from '#cloud/aws-call.ts';
import type { CloudContext } from '#cloud/context.ts';
import { protocolError } from '#cloud/service-error.ts';
import { AppError } from '#model/errors.ts';

export interface SqsMessage {
  readonly id: string;
  readonly receipt: string;
  readonly body: string;
  /** How often it was received, this time included. */
  readonly received: number;
}

/** A queue of Amazon SQS by its JSON protocol (SQS API reference: ReceiveMessage, DeleteMessageBatch). */
export interface SqsQueue {
  /** Waits up to twenty seconds for messages; each is hidden from others for the queue's visibility timeout. */
  receive(signal: AbortSignal): Promise<readonly SqsMessage[]>;
  /** Answers the ids of those that could not be deleted, which come again. */
  delete(messages: readonly SqsMessage[], signal: AbortSignal): Promise<readonly string[]>;
}

const Received = z.object({
  Messages: z
    .array(
      z.object({
        MessageId: z.string().max(255),
        ReceiptHandle: z.string().max(4096),
        Body: z.string(),
        Attributes: z.object({ ApproximateReceiveCount: z.coerce.number().int().min(1).default(1) }).prefault({}),
      }),
    )
    .max(10)
    .default([]),
});
const Deleted = z.object({ Failed: z.array(z.object({ Id: z.string() })).default([]) });

/** Long polling: an empty queue costs three requests a minute. */
const WAIT_S = 20;
const HEADERS_TIMEOUT_MS = 35_000;
const MOST_MESSAGES = 10;
/** Ten messages of a mebibyte, as JSON writes plain text; a batch that is larger still is fetched one by one. */
const ANSWER_BYTES = 16 * 1024 * 1024;

/** @throws AppError `config-invalid` when the region is not known. Nothing is asked yet. */
export async function openSqsQueue(context: CloudContext, queue: string): Promise<SqsQueue> {
  const region = regionOf(queue, context);
  const address = context.settings.text('AWS_ENDPOINT_URL_SQS');
  const service: AwsService = await openAwsService(context, {
    what: `SQS (${queue.slice(queue.lastIndexOf('/') + 1)})`,
    name: 'sqs',
    url: new URL(address ?? new URL('/', queue)),
    region,
    json: '1.0',
    headersTimeoutMs: HEADERS_TIMEOUT_MS,
    answerBytes: ANSWER_BYTES,
  });
  let most = MOST_MESSAGES;

  async function ask(signal: AbortSignal): Promise<unknown> {
    const input = {
      QueueUrl: queue,
      MaxNumberOfMessages: most,
      WaitTimeSeconds: WAIT_S,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    };
    try {
      const answer = await callAws(service, 'AmazonSQS.ReceiveMessage', input, signal);
      most = MOST_MESSAGES;
      return answer;
    } catch (error) {
      if (error instanceof AppError && error.code === 'too-large') most = 1;
      throw error;
    }
  }

  return {
    async receive(signal) {
      const read = Received.safeParse(await ask(signal));
      if (!read.success) throw protocolError(service.what, 'the answer to ReceiveMessage is no list of messages');
      return read.data.Messages.map(({ MessageId, ReceiptHandle, Body, Attributes }) => {
        return { id: MessageId, receipt: ReceiptHandle, body: Body, received: Attributes.ApproximateReceiveCount };
      });
    },
    async delete(messages, signal) {
      if (messages.length === 0) return [];
      const Entries = messages.map(({ receipt }, index) => ({ Id: String(index), ReceiptHandle: receipt }));
      const answer = await callAws(service, 'AmazonSQS.DeleteMessageBatch', { QueueUrl: queue, Entries }, signal);
      const read = Deleted.safeParse(answer);
      if (!read.success) throw protocolError(service.what, 'the answer to DeleteMessageBatch cannot be read');
      return read.data.Failed.flatMap(({ Id }) => messages[Number(Id)]?.id ?? []);
    },
  };
}

function regionOf(queue: string, { settings }: CloudContext): string {
  const named = /^sqs(?:-fips)?\.([a-z0-9-]{1,40})\.amazonaws\.com/.exec(new URL(queue).hostname)?.[1];
  const region = named ?? settings.text('AWS_REGION') ?? settings.text('AWS_DEFAULT_REGION');
  if (region !== undefined && /^[a-z0-9-]{1,40}$/.test(region)) return region;
  throw new AppError('config-invalid', 'the region of the queue is not known', {
    field: 'sources.access.AWS_REGION',
    mend: 'write the URL of the queue as AWS prints it, or set AWS_REGION',
  });
}
