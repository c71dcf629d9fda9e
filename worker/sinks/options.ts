import * as z from 'zod';
import { EVENTS } from '#model/event.ts';
import { matchesAny } from '#model/rule.ts';
import { FilePath, HttpUrl, Id, oneOrMore, SecretReference, urlOrSecret, wholeNumber } from '#model/settings.ts';

const EventPattern = z.string().superRefine((pattern, context) => {
  if (Object.keys(EVENTS).some((type) => matchesAny([pattern], type))) return;
  const mend = 'write a type of docs/reference/events.md, with * as wildcard: dev.attestry.verdict.*';
  context.addIssue({ code: 'custom', message: `"${pattern.slice(0, 80)}" is no event type`, params: { mend } });
});

const id = Id.describe('Name of the sink, in jobs, metrics and dead letters.');
const ca = FilePath.exactOptional().describe("PEM file of the CA that signed the receiver's certificate.");
const proxy = HttpUrl.exactOptional().describe('HTTP proxy to reach the receiver through.');
const headers = z
  .record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/, 'not a header name'), SecretReference)
  .default({})
  .describe('Extra request headers, e.g. authorization; each value is a secret reference.');

const events = oneOrMore(EventPattern, 32)
  .exactOptional()
  .describe('Event types to deliver, * as wildcard; absent: all but the alerts that are sent again and again.');

const WebhookSink = z.strictObject({
  id,
  type: z.literal('webhook').describe('CloudEvents over HTTP.'),
  url: urlOrSecret('https:', 'http:').describe('Address of the receiver, or a secret reference to it.'),
  mode: z
    .enum(['structured', 'binary'])
    .default('structured')
    .describe('Content mode of the CloudEvents HTTP binding.'),
  headers,
  secret: SecretReference.exactOptional().describe('Key of the HMAC-SHA256 signature header, as a secret reference.'),
  ca,
  proxy,
  events,
});

const RedisStreamSink = z.strictObject({
  id,
  type: z.literal('redis-stream').describe('A stream in the same Redis.'),
  stream: z.string().min(1).max(255).default('attestry:events').describe('Key of the stream, exactly as written.'),
  maxLength: wholeNumber(100, 100_000_000).default(100_000).describe('Entries kept, about.'),
  events,
});

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/;

const AlertmanagerSink = z.strictObject({
  id,
  type: z.literal('alertmanager').describe('Alerts to Prometheus Alertmanager, API v2.'),
  url: HttpUrl.describe('Address of Alertmanager, without /api/v2/alerts.'),
  headers,
  labels: z
    .record(z.string().regex(LABEL, 'not a label name'), z.string().min(1).max(1024))
    .default({})
    .describe('Further labels on every alert, e.g. team.'),
  ca,
  proxy,
  events: oneOrMore(EventPattern, 32)
    .exactOptional()
    .describe('Event types to raise as alerts, * as wildcard; absent: all that ask for somebody to act.'),
});

/** Where events go. */
export const SinkOptions = z.discriminatedUnion('type', [WebhookSink, RedisStreamSink, AlertmanagerSink]);
export type SinkOptions = z.output<typeof SinkOptions>;
export type WebhookSinkOptions = z.output<typeof WebhookSink>;
export type RedisStreamSinkOptions = z.output<typeof RedisStreamSink>;
export type AlertmanagerSinkOptions = z.output<typeof AlertmanagerSink>;
