/** Where a library may be imported, and why it is there at all. */
export interface ThirdParty {
  readonly rooms: readonly string[];
  readonly why: string;
  /** Installed where it can be, and loaded by who uses it alone. */
  readonly optional?: true;
}

/**
 * The runtime dependencies. A library has one home; one with several rooms says why. CONTRIBUTING.md shows the same
 * names to people.
 */
export const THIRD_PARTIES: Readonly<Record<string, ThirdParty>> = {
  '@jmespath-community/jmespath': {
    rooms: ['policy'],
    why: 'conditions of Kyverno policies are JMESPath',
  },
  '@nats-io/jetstream': {
    rooms: ['pull'],
    why: 'durable consumers of streams, by who makes the server; loaded where a source names NATS',
  },
  '@nats-io/transport-node': {
    rooms: ['pull'],
    why: 'the connection to NATS: reconnecting, TLS and its own credentials; loaded where a source names NATS',
  },
  '@peculiar/x509': {
    rooms: ['crypto', 'signing', 'cli'],
    why: 'certificates and requests of private CAs; the command line makes the CA of the demonstration',
  },
  '@sigstore/sign': {
    rooms: ['signing'],
    why: 'the signing part of sigstore 5: makes the envelope, and its signers fit our contract unwrapped',
  },
  bullmq: {
    rooms: ['queue'],
    why: 'the queue: jobs, lanes, schedulers, recovery of stalled work',
  },
  fastify: {
    rooms: ['producer', 'admin'],
    why: 'the HTTP app of webhooks and API: body limits, hooks, graceful close',
  },
  ioredis: {
    rooms: ['redis', 'queue', 'ledger'],
    why: 'the client that BullMQ uses; the ledger runs its scripts on the same connection type',
  },
  'packageurl-js': {
    rooms: ['sbom'],
    why: 'package URLs by their specification',
  },
  pino: {
    rooms: ['telemetry'],
    why: 'structured logs with redaction',
  },
  pkcs11js: {
    rooms: ['signing'],
    why: 'the binding to PKCS #11 modules; native, so that it is built only where tokens are used',
    optional: true,
  },
  'prom-client': {
    rooms: ['telemetry'],
    why: 'metrics in Prometheus’ text format',
  },
  'reflect-metadata': {
    rooms: ['crypto', 'signing', 'cli'],
    why: '@peculiar/x509 asks for it wherever it is loaded',
  },
  'tuf-js': {
    rooms: ['trust'],
    why: 'The Update Framework’s client, over our HTTP client: trusted roots of Sigstore and of own mirrors',
  },
  undici: {
    rooms: ['http'],
    why: 'the HTTP client under ours: proxies, own CAs, limits',
  },
  yaml: {
    rooms: ['config', 'policy', 'cli'],
    why: 'configuration and policies are YAML, with the line and column of a mistake; the demonstration writes its own',
  },
  zod: {
    rooms: ['*'],
    why: 'every boundary checks foreign data by a schema',
  },
};
