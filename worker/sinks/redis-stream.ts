import { wantsEvent } from '#events/route.ts';
import { AppError } from '#model/errors.ts';
import type { SinkDependencies } from '#sinks/dependencies.ts';
import type { RedisStreamSinkOptions } from '#sinks/options.ts';
import type { Sink } from '#sinks/sink.ts';

/**
 * Appends events to a stream of the same Redis. Each entry has the fields `id`, `type`, `subject` and `event`, the last
 * the whole CloudEvent in its JSON form. The stream is trimmed to about `maxLength` entries.
 */
export function createRedisStreamSink(
  options: RedisStreamSinkOptions,
  { redis }: Pick<SinkDependencies, 'redis'>,
): Sink {
  return {
    id: options.id,
    wants: (event) => wantsEvent(options.events, event),
    async deliver(event, signal) {
      signal.throwIfAborted();
      const fields = ['id', event.id, 'type', event.type, 'subject', event.subject, 'event', JSON.stringify(event)];
      try {
        await redis.xadd(options.stream, 'MAXLEN', '~', options.maxLength, '*', ...fields);
      } catch (error) {
        throw refusal(options, error);
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function refusal({ id, stream }: RedisStreamSinkOptions, error: unknown): AppError {
  const message = error instanceof Error ? error.message : String(error);
  if (!/^(?:WRONGTYPE|NOPERM)/.test(message)) {
    return new AppError('sink-unavailable', `sink ${id}: Redis did not take the event`, { cause: error });
  }
  const wrong = message.startsWith('WRONGTYPE') ? 'holds something that is no stream' : 'may not be written';
  return new AppError('sink-rejected', `sink ${id}: the key ${stream} ${wrong}`, {
    cause: error,
    field: `sinks.${id}.stream`,
    mend: 'name another key, or let the user of Redis write it',
  });
}
