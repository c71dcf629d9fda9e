import type { FastifyRequest } from 'fastify';
import type { ReceivedRequest } from '#producer/intake/intake.ts';
import { readJson } from '#producer/webhooks/json.ts';

/** A request of the web framework as the intake wants it: plain values, nothing repeated. */
export function receivedRequest(request: FastifyRequest, traceparent: string): ReceivedRequest {
  return {
    method: request.method,
    headers: flat(request.headers),
    query: flat(request.query),
    body: request.body === 'too-large' || request.body instanceof Uint8Array ? request.body : Buffer.alloc(0),
    traceparent,
  };
}

/** Of a repeated query parameter the first one counts, so that no second one overrides what was checked. */
function flat(values: unknown): Readonly<Record<string, string>> {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(values ?? {})) {
    const first: unknown = Array.isArray(value) ? value[0] : value;
    if (typeof first === 'string') pairs.push([name, first]);
  }
  return Object.fromEntries(pairs);
}

/** The body as bounded JSON; no body is an empty object, what cannot be read is undefined. */
export function jsonBody({ body }: FastifyRequest): unknown {
  if (!(body instanceof Uint8Array) || body.byteLength === 0) return body === 'too-large' ? undefined : {};
  const json = readJson(body);
  return json.ok ? json.value : undefined;
}

export function headersOf(request: FastifyRequest): Readonly<Record<string, string>> {
  return flat(request.headers);
}
