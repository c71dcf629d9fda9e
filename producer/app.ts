import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AppError, ERRORS } from '#model/errors.ts';
import { handInRoute } from '#producer/admin/hand-in-route.ts';
import { adminRoutes } from '#producer/admin/routes.ts';
import { readBody } from '#producer/body.ts';
import { healthRoutes } from '#producer/health.ts';
import type { Answer } from '#producer/intake/answer.ts';
import { authenticate } from '#producer/intake/authenticate.ts';
import { createIntake, type Intake } from '#producer/intake/intake.ts';
import type { Source } from '#producer/intake/source.ts';
import { bodyLimit, boundLargeBodies } from '#producer/large-bodies.ts';
import * as limits from '#producer/limits.ts';
import { logObservation } from '#producer/log-observation.ts';
import type { ProducerLog, ProducerParts } from '#producer/parts.ts';
import { headersOf, jsonBody, receivedRequest } from '#producer/request.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';

/** The producer without a socket: whoever composes the process listens, or injects requests. */
export function createApp(parts: ProducerParts): FastifyInstance {
  const { log } = parts;
  const app = Fastify({
    logger: false,
    genReqId: parts.requestId,
    // An id that a stranger chooses could forge log lines.
    requestIdHeader: false,
    requestTimeout: limits.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: limits.KEEP_ALIVE_MS,
    routerOptions: { maxParamLength: limits.MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
    http: {
      maxHeaderSize: limits.MAX_HEADER_BYTES,
      headersTimeout: limits.HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: limits.TIMEOUT_CHECK_MS,
    },
  });
  app.server.maxConnections = limits.MAX_CONNECTIONS;
  const sources = new Map(parts.sources.map((source) => [source.id, source]));
  const intake = createIntake({
    ports: parts.ports,
    now: parts.now,
    observe: (observation) => {
      logObservation(log, observation);
      parts.observe(observation);
    },
  });
  rawBodies(app, sources);
  headersAndLog(app, log);
  boundLargeBodies(app, sources);
  errors(app, log);
  healthRoutes(app, parts.checks, (name, error) => log.warn({ check: name, err: error }, 'not ready'));
  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await parts.metrics();
    return reply.type(contentType).send(body);
  });
  hooks(app, intake, sources, parts);
  const { api, handIn } = parts;
  if (api?.credential.kind === 'bearer' && handIn) {
    const { credential } = api;
    handInRoute(
      app,
      handIn,
      (request) => authenticate(credential, headersOf(request)),
      (request) => parts.traceparent(request.headers.traceparent?.toString()),
    );
  }
  if (parts.admin) {
    const credential = { kind: 'bearer', bearers: parts.operators } as const;
    adminRoutes(app, parts.admin, (request) => authenticate(credential, headersOf(request)).ok, jsonBody);
  }
  return app;
}

function hooks(app: FastifyInstance, intake: Intake, sources: ReadonlyMap<string, Source>, parts: ProducerParts): void {
  async function receive(source: Source | undefined, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const traceparent = parts.traceparent(request.headers.traceparent?.toString());
    const received = receivedRequest(request, traceparent);
    const answer = await intake.receive(source, received);
    // Who calls the API reads the answer himself.
    if (source && source !== parts.api) parts.keep?.(source, { ...received, id: request.id }, answer);
    if (source) parts.observe({ kind: 'answered', source: source.id, ms: reply.elapsedTime });
    return write(reply, answer, request.body);
  }
  app.post<{ Params: { source: string } }>('/hooks/:source', (request, reply) =>
    receive(sources.get(request.params.source), request, reply),
  );
  // Some senders ask for consent before their first delivery; of the others this is a path without a source.
  app.options<{ Params: { source: string } }>('/hooks/:source', (request, reply) =>
    receive(sources.get(request.params.source), request, reply),
  );
  const { api } = parts;
  if (api) app.post('/v1/images', (request, reply) => receive(api, request, reply));
}

function write(reply: FastifyReply, answer: Answer, body: unknown): unknown {
  reply.code(answer.status).headers(answer.headers);
  if (answer.withoutBody) return reply.send();
  // The rest of an oversized body may still be on its way; the next request must not start inside it.
  if (body === 'too-large') reply.header('connection', 'close');
  return reply.send(answer.body);
}

function rawBodies(app: FastifyInstance, sources: ReadonlyMap<string, Source>): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const { source } = request.params as { source?: string };
    const adapter = source === undefined ? undefined : sources.get(source)?.adapter;
    return readBody(payload, adapter?.maxBodyBytes ?? bodyLimit(request) ?? MAX_BODY_BYTES);
  });
}

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

function headersAndLog(app: FastifyInstance, log: ProducerLog): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...SECURITY_HEADERS, 'x-request-id': request.id });
  });
  // The route's pattern, never the address: a query or path may hold the secret of a sender that knows no other way.
  app.addHook('onResponse', async (request, reply) => {
    const { method, id, routeOptions } = request;
    const ms = Math.round(reply.elapsedTime);
    const line = { request: id, method, route: routeOptions.url ?? 'none', status: reply.statusCode, ms };
    if (PROBES.includes(line.route)) return;
    log.info(line, 'request');
  });
}

/** Asked every few seconds: they would fill the log. */
const PROBES = ['/livez', '/readyz', '/metrics'];

function errors(app: FastifyInstance, log: ProducerLog): void {
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ reason: 'not-found', message: 'nothing is here' }),
  );
  app.setErrorHandler((error: { statusCode?: number; code?: string }, request, reply) => {
    const { status, reason, message } = errorAnswer(error);
    if (status === 500) log.error({ request: request.id, err: error }, 'request failed');
    return reply.code(status).send({ reason, message });
  });
}

/** What a failure may tell the world: never a stack, a path or the text of a foreign library. */
function errorAnswer(error: { statusCode?: number; code?: string }): {
  status: number;
  reason: string;
  message: string;
} {
  if (error instanceof AppError) {
    const { code, message } = error;
    if (code === 'network') return { status: 400, reason: 'malformed', message };
    if (ERRORS[code].class === 'transient') return { status: 503, reason: 'unavailable', message: 'try again later' };
  } else if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return { status: error.statusCode, reason: 'malformed', message: error.code ?? 'bad request' };
  }
  return { status: 500, reason: 'internal', message: 'the request failed; the log says why' };
}
