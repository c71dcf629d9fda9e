import type { FastifyInstance } from 'fastify';
import { Secret } from '#model/secret.ts';
import { createApp } from '#producer/app.ts';
import type { IntakeObservation } from '#producer/intake/observation.ts';
import type { IntakePorts } from '#producer/intake/ports.ts';
import type { ProducerParts } from '#producer/parts.ts';

export interface TestProducer {
  readonly app: FastifyInstance;
  readonly observed: IntakeObservation[];
  /** Every log line, as JSON. */
  readonly lines: string[];
}

/** The real app with everything that a test does not care about filled in. */
export function createTestProducer(parts: Partial<ProducerParts> & { readonly ports: IntakePorts }): TestProducer {
  const observed: IntakeObservation[] = [];
  const lines: string[] = [];
  const write = (fields: Readonly<Record<string, unknown>>, message: string) => {
    const { err, ...rest } = fields;
    lines.push(JSON.stringify({ ...rest, msg: message, ...(err === undefined ? {} : { err: String(err) }) }));
  };
  let requests = 0;
  const app = createApp({
    sources: [],
    operators: [],
    checks: [],
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'attestry_up 1\n' }),
    log: { info: write, warn: write, error: write },
    observe: (observation) => void observed.push(observation),
    now: () => new Date('2026-03-02T10:15:31Z'),
    requestId: () => `request-${++requests}`,
    traceparent: (incoming) => incoming ?? '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    ...parts,
  });
  return { app, observed, lines };
}

/** Reads `env:NAME` from a record that a test can change, as a rotation would. */
export function secretsFrom(values: Readonly<Record<string, string>>): (reference: string) => Secret {
  return (reference) => new Secret(values[reference.replace(/^env:/, '')] ?? '', reference);
}
