import type { CloudContext } from '#cloud/context.ts';
import { AppError } from '#model/errors.ts';
import type { SqsSourceOptions } from '#producer/intake/options.ts';
import type { Source } from '#producer/intake/source.ts';
import { asRequest, type Fetcher, isSettled, type PullPorts } from '#producer/pull/puller.ts';
import { openSqsQueue, type SqsMessage, type SqsQueue } from '#producer/pull/sqs-queue.ts';

/**
 * Messages of an SQS queue, handed to the intake one by one, so that a bad one costs no other. One is deleted when what
 * it asks for is in Redis, or when there is nothing to do; any other becomes visible again by itself.
 */
export function createSqsFetcher(
  source: Source,
  { queue: address, giveUpAfter }: Pick<SqsSourceOptions, 'queue' | 'giveUpAfter'>,
  context: CloudContext,
  ports: PullPorts,
): Fetcher {
  let opened: SqsQueue | undefined;

  async function settle(message: SqsMessage): Promise<boolean> {
    const bytes = Buffer.from(JSON.stringify({ Messages: [{ MessageId: message.id, Body: message.body }] }));
    const request = asRequest(bytes.length > source.adapter.maxBodyBytes ? 'too-large' : bytes, ports.traceparent());
    const answer = await ports.take(source, request);
    if (isSettled(answer)) return true;
    // Told once: it comes again until a redrive policy, or we, put it aside.
    if (message.received === 1) ports.keep?.(source, { ...request, id: message.id }, answer);
    if (message.received < giveUpAfter) return false;
    ports.tell({ kind: 'given-up', source: source.id, message: message.id });
    return true;
  }

  async function takeBatch(queue: SqsQueue, messages: readonly SqsMessage[], signal: AbortSignal): Promise<void> {
    const done: SqsMessage[] = [];
    try {
      for (const message of messages) {
        if (signal.aborted) break;
        if (await settle(message)) done.push(message);
      }
    } finally {
      // What is in Redis is deleted also at the end of the process and after one that failed.
      await queue.delete(done, AbortSignal.timeout(DELETE_MS));
    }
  }

  return {
    source,
    async run(signal, up) {
      try {
        opened ??= await openSqsQueue(context, address);
        while (!signal.aborted) {
          // A redrive policy counts how often a message was handed out, whatever the reason that it came back.
          await ports.ready();
          const messages = await opened.receive(signal);
          await takeBatch(opened, messages, signal);
          up();
        }
      } catch (error) {
        throw asUnavailable(source.id, error);
      }
    },
  };
}

/** Milliseconds for the last deletion of a process that ends. */
const DELETE_MS = 10_000;

/** Errors of the service speak of keys; here they are of the source. Those of Redis stay what they are. */
function asUnavailable(source: string, error: unknown): unknown {
  if (!(error instanceof AppError) || !/^(?:key-|network|timeout|too-large)/.test(error.code)) return error;
  const { message, retryAfterMs } = error;
  return new AppError('source-unavailable', `source ${source}: ${message}`, {
    cause: error,
    mend:
      MENDS[error.code] ?? 'nothing: it is tried again; if it lasts, check the address of the queue and the network',
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const MENDS: Readonly<Record<string, string>> = {
  'key-unauthorized': 'check the AWS identity of this workload, see the guide on access to registries',
  'key-credentials-expired': 'let whatever issues the AWS credentials renew them; it is tried again',
  'key-refused': 'check the URL of the queue, and grant sqs:ReceiveMessage and sqs:DeleteMessage on it',
};
