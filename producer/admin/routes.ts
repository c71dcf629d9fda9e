import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { describeImage, listImages, readLimit } from '#producer/admin/images.ts';
import type { AdminParts } from '#producer/admin/parts.ts';
import { isRefusal, refusal } from '#producer/admin/refusal.ts';
import { reverify } from '#producer/admin/reverify.ts';

const MAX_DEAD_LETTERS = 500;
const DEFAULT_DEAD_LETTERS = 100;

/**
 * The operators' routes, behind bearer tokens of their own: who may announce an image may not thereby replay or read.
 * `readBody` turns the raw bytes into bounded JSON.
 */
export function adminRoutes(
  app: FastifyInstance,
  parts: AdminParts,
  isOperator: (request: FastifyRequest) => boolean,
  readBody: (request: FastifyRequest) => unknown,
): void {
  type Work = (request: FastifyRequest) => Promise<object>;

  function guarded(work: Work, success = 200) {
    return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
      if (!isOperator(request)) {
        reply.code(401).header('www-authenticate', 'Bearer');
        return { reason: 'unauthenticated', message: 'missing or wrong token of an operator' };
      }
      const result = await work(request);
      if (!isRefusal(result)) return reply.code(success).send(result);
      return reply.code(result.status).send({ reason: result.reason, message: result.message });
    };
  }

  app.get(
    '/v1/images',
    guarded(async (request) => listImages(parts, query(request))),
  );
  app.get(
    '/v1/images/*',
    guarded(async (request) => describeImage(parts, parameter(request, '*'), query(request))),
  );
  app.post(
    '/v1/reverify',
    guarded(async (request) => {
      return reverify(parts, readBody(request), parts.traceparent(request.headers.traceparent?.toString()));
    }, 202),
  );
  app.get(
    '/v1/dead-letters',
    guarded(async (request) => {
      const limit = readLimit(query(request).limit, DEFAULT_DEAD_LETTERS, MAX_DEAD_LETTERS);
      return typeof limit === 'number' ? { deadLetters: await parts.deadLetters.list({ limit }) } : limit;
    }),
  );
  app.post(
    '/v1/dead-letters/:id/replay',
    guarded(async (request) => {
      const id = parameter(request, 'id');
      if (await parts.deadLetters.replay(id)) return { id, state: 'queued' };
      return refusal(404, 'not-found', 'no dead letter has this id; GET /v1/dead-letters lists them');
    }, 202),
  );
}

function parameter(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? '';
}

function query(request: FastifyRequest): Readonly<Record<string, string>> {
  const pairs = Object.entries(request.query as Record<string, unknown>);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => typeof pair[1] === 'string'));
}
