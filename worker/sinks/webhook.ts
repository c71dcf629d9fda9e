import { createHmac } from 'node:crypto';
import { wantsEvent } from '#events/route.ts';
import { AppError } from '#model/errors.ts';
import type { CloudEvent } from '#model/event.ts';
import { SECRET_REFERENCE, type SecretResolver } from '#model/secret.ts';
import type { SinkDependencies } from '#sinks/dependencies.ts';
import type { WebhookSinkOptions } from '#sinks/options.ts';
import { post } from '#sinks/post.ts';
import { secretHeaders } from '#sinks/secret-headers.ts';
import type { Sink } from '#sinks/sink.ts';

/**
 * Delivers CloudEvents over HTTP (CloudEvents HTTP protocol binding 1.0.2, structured or binary mode). With a secret the
 * request is signed as Standard Webhooks 1.0 says: `webhook-id`, `webhook-timestamp` and `webhook-signature` over
 * `id.timestamp.body`. In binary mode the signature does not cover the `ce-` headers but for the id.
 */
export function createWebhookSink(options: WebhookSinkOptions, dependencies: SinkDependencies): Sink {
  const { secrets, now } = dependencies;
  const url = receiverUrl(options, secrets);
  const { ca, proxy } = options;
  const client = dependencies.connect({
    url,
    ...(ca === undefined ? {} : { ca }),
    ...(proxy === undefined ? {} : { proxy }),
  });
  return {
    id: options.id,
    wants: (event) => wantsEvent(options.events, event),
    async deliver(event, signal) {
      // Secrets are read for each delivery, so that a rotated one counts at once.
      const own = secretHeaders(options.headers, secrets);
      const { headers, body } = options.mode === 'binary' ? binaryContent(event) : structuredContent(event);
      const moment = now();
      const signed =
        options.secret === undefined ? {} : signatureHeaders(secrets(options.secret).reveal(), event.id, body, moment);
      const content = { url, headers: { ...headers, ...own, ...signed }, body, secrets: Object.values(own) };
      await post(options.id, client, content, signal, moment);
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function receiverUrl({ id, url }: WebhookSinkOptions, secrets: SecretResolver): URL {
  const text = SECRET_REFERENCE.test(url) ? secrets(url).reveal() : url;
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed && /^https?:$/.test(parsed.protocol)) return parsed;
  throw new AppError('config-invalid', `the address of sink ${id} is not an http or https URL`, {
    field: `sinks.${id}.url`,
    mend: 'let the secret hold https://host/path',
  });
}

interface Content {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

function structuredContent(event: CloudEvent): Content {
  const headers = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
  return { headers, body: JSON.stringify(event) };
}

function binaryContent(event: CloudEvent): Content {
  const { data, datacontenttype, ...attributes } = event;
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, headerValue(`${value}`)]);
  return { headers: { 'content-type': datacontenttype, ...Object.fromEntries(headers) }, body: JSON.stringify(data) };
}

/** CloudEvents HTTP binding 3.1.3.2: percent-encodes space, quote, percent and all but printable ASCII. */
function headerValue(text: string): string {
  return text.replaceAll(/[^\x21\x23\x24\x26-\x7e]/gu, (character) => {
    return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  });
}

function signatureHeaders(secret: string, id: string, body: string, now: Date): Record<string, string> {
  const timestamp = `${Math.floor(now.getTime() / 1000)}`;
  const signature = createHmac('sha256', hmacKey(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

/** Secrets of the form `whsec_…` are base64, as the receivers' libraries expect; others are taken as text. */
function hmacKey(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}
