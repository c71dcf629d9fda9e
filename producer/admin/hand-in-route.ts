import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '#model/errors.ts';
import { type HandInParts, handIn, MAX_HAND_IN_BODY_BYTES } from '#producer/admin/hand-in.ts';
import { isRefusal } from '#producer/admin/refusal.ts';

/** Who calls: nobody, or the bearer of a token and its name. */
export type WhoCalls = (request: FastifyRequest) => { readonly ok: boolean; readonly bearer?: string };

/**
 * `POST /v1/attestations`. The caller is asked for before the body is read: it may be larger than that of any stranger.
 * `traceparent` carries on the trace of a request.
 */
export function handInRoute(
  app: FastifyInstance,
  parts: HandInParts,
  whoCalls: WhoCalls,
  traceparent: (request: FastifyRequest) => string,
): void {
  const callers = new WeakMap<FastifyRequest, string | undefined>();
  app.post(
    '/v1/attestations',
    {
      config: { maxBodyBytes: MAX_HAND_IN_BODY_BYTES },
      onRequest: async (request, reply) => {
        const caller = whoCalls(request);
        callers.set(request, caller.bearer);
        if (caller.ok) return;
        reply.code(401).headers({ 'www-authenticate': 'Bearer', connection: 'close' });
        return reply.send({ reason: 'unauthenticated', message: 'missing or wrong token' });
      },
    },
    async (request, reply) => {
      const { body } = request;
      const bytes = body === 'too-large' || body instanceof Uint8Array ? body : new Uint8Array();
      try {
        const actor = callers.get(request);
        return answer(reply, await handIn(parts, { body: bytes, actor, traceparent: traceparent(request) }));
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'handed-in-full') throw error;
        reply.code(429).header('retry-after', String(Math.ceil((error.retryAfterMs ?? 1000) / 1000)));
        const mend = error.mend === undefined ? '' : `; ${error.mend}`;
        return reply.send({ reason: error.code, message: `${error.message}${mend}` });
      }
    },
  );
}

function answer(reply: FastifyReply, result: object): FastifyReply {
  if (!isRefusal(result)) return reply.code(202).send(result);
  if (result.status === 413) reply.header('connection', 'close');
  return reply.code(result.status).send({ reason: result.reason, message: result.message });
}
