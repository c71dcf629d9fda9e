import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RETRY_AFTER_SECONDS } from '#producer/intake/limits.ts';
import type { Source } from '#producer/intake/source.ts';
import { MAX_LARGE_BODIES } from '#producer/limits.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';

/** Bytes of a body that a route allows beyond the usual, where it says so. */
export function bodyLimit({ routeOptions }: FastifyRequest): number | undefined {
  const { maxBodyBytes } = routeOptions.config as { readonly maxBodyBytes?: number };
  return maxBodyBytes;
}

/**
 * Bounds how many bodies beyond the usual limit are on their way at once. They are read before their sender is known,
 * so that strangers could otherwise fill the memory through the source of a sender that is allowed large ones.
 */
export function boundLargeBodies(app: FastifyInstance, sources: ReadonlyMap<string, Source>): void {
  let open = 0;
  app.addHook('onRequest', async (request, reply) => {
    const { source } = request.params as { source?: string };
    const adapter = source === undefined ? undefined : sources.get(source)?.adapter;
    if ((adapter?.maxBodyBytes ?? bodyLimit(request) ?? 0) <= MAX_BODY_BYTES) return;
    // Without a declared length it may become any.
    const declared = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY);
    if (declared <= MAX_BODY_BYTES) return;
    if (open >= MAX_LARGE_BODIES) {
      const refusal = { reason: 'unavailable', message: 'not accepted; send it again later' };
      reply.code(503).headers({ 'retry-after': String(RETRY_AFTER_SECONDS), connection: 'close' });
      return reply.send(refusal);
    }
    open++;
    reply.raw.once('close', () => {
      open--;
    });
  });
}
