import { HAND_IN_READING } from '#compose/hand-in.ts';
import { RuleOptions } from '#engine/options.ts';
import { type Digest, digestHex, sha256 } from '#model/digest.ts';
import type { ImageJob } from '#model/job.ts';
import type { HandInParts, HandInRefused } from '#producer/admin/hand-in.ts';
import { apiSource, bearersOf } from '#producer/intake/api-source.ts';
import { bindRegistries } from '#producer/intake/source.ts';
import { TEST_RESULT_SAMPLE } from './given-predicates.ts';
import { createMemoryHandedIn } from './handed-in-memory.ts';
import { createIntakeMemory } from './intake-memory.ts';
import { createTestProducer, secretsFrom } from './producer.ts';

export const DIGEST = sha256('an image');
export const IMAGE = `registry.example.com/team/app:v1@${DIGEST}`;
export const NAME = `registry.example.com/team/app@${DIGEST}`;
export const TYPE = 'https://in-toto.io/attestation/test-result/v0.1';

const RULES = [
  {
    name: 'team',
    match: { repository: 'team/**' },
    when: { actor: 'ci' },
    evidence: [
      { type: 'cyclonedx', signer: 'release' },
      { type: 'test-result', signer: 'tests' },
      { type: 'https://example.com/review/v1', signer: 'reviews' },
      { type: 'https://example.com/review/v1', signer: 'audits' },
    ],
  },
  {
    name: 'tagged',
    match: { repository: 'tagged/**', tag: 'v*' },
    evidence: [{ type: 'test-result', signer: 'tests' }],
  },
].map((rule) => RuleOptions.parse(rule));

/** The real app whose one open route is that of handing in; token `ci-secret` is ci's. */
export function setUpHandIn(more: Partial<HandInParts> = {}) {
  const refused: HandInRefused[] = [];
  const order: string[] = [];
  const jobs: ImageJob[] = [];
  const memory = createMemoryHandedIn();
  const secrets = secretsFrom({ CI: 'ci-secret', DEV: 'dev-secret' });
  const bearers = bearersOf(
    [
      { name: 'ci', secrets: ['env:CI'] },
      { name: 'dev', secrets: ['env:DEV'] },
    ],
    'tokens',
    secrets,
  );
  const registries = [{ id: 'main', name: 'registry.example.com', hosts: ['registry.example.com', 'localhost:5000'] }];
  const { app } = createTestProducer({
    ports: createIntakeMemory().ports,
    api: apiSource(bearers, registries),
    handIn: {
      ...HAND_IN_READING,
      rules: RULES,
      ...bindRegistries(registries),
      store: {
        ...memory,
        put: (image, handedIn) => {
          order.push('kept');
          return memory.put(image, handedIn);
        },
      },
      queue: {
        async enqueueImage(_lane, job) {
          order.push('enqueued');
          return { id: String(jobs.push(job)), state: 'queued' };
        },
      },
      requireRoom: async () => void order.push('room'),
      spend: async () => {},
      refused: (each) => void refused.push(each),
      now: () => new Date('2026-03-02T10:15:31Z'),
      ...more,
    },
  });
  async function post(payload: object | string | Buffer, token = 'ci-secret') {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await app.inject({ method: 'POST', url: '/v1/attestations', headers, payload });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  }
  return { app, post, refused, order, jobs, memory };
}

/** A whole statement in base64. */
export function statementOf(digest: Digest, more: object = {}): string {
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'app', digest: { sha256: digestHex(digest) } }],
    predicateType: TYPE,
    predicate: TEST_RESULT_SAMPLE,
    ...more,
  };
  return Buffer.from(`${JSON.stringify(statement, null, 2)}\n`).toString('base64');
}

/** A request that rule `team` allows. */
export const predicate = (more: object = {}) => ({
  image: IMAGE,
  type: 'test-result',
  predicate: TEST_RESULT_SAMPLE,
  ...more,
});

export function twoSubjects(): string {
  const subject = [DIGEST, sha256('another')].map((digest) => ({ name: 'app', digest: { sha256: digestHex(digest) } }));
  return statementOf(DIGEST, { subject });
}

export function openVex(): object {
  const statements = [{ vulnerability: { name: 'CVE-1' }, status: 'fixed' }];
  const timestamp = '2026-01-01T00:00:00Z';
  return { '@context': 'https://openvex.dev/ns/v0.2.0', '@id': 'x', author: 'a', timestamp, version: 1, statements };
}

export function foreignProvenance(): object {
  return {
    buildDefinition: { buildType: 'https://example.com/t', externalParameters: {} },
    runDetails: { builder: { id: 'https://github.com/actions/runner' } },
  };
}
