import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createRedisLedger } from '#ledger/redis-ledger.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { WrittenEvidence } from '#model/evidence.ts';
import { connectRedis } from '#redis/connection.ts';
import { createWrittenEvidence } from '#redis/written-evidence.ts';
import { runCli } from '../../support/cli.ts';
import { type InstallationFiles, writeInstallation } from '../../support/installation-files.ts';
import { observation } from '../../support/observations.ts';
import { caDefaults, type Issued, issueFrom, makePki, selfSigned } from '../../support/pki.ts';
import { startRedis, type TestRedis } from '../../support/redis.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const REGISTRY = 'registry.example.com';

let redis: TestRedis;
let scratch: Scratch;
let files: InstallationFiles;
let fingerprint: string;

before(async () => {
  [redis, scratch] = await Promise.all([startRedis(), makeScratch()]);
  files = await writeInstallation(scratch, { redisUrl: redis.url, registry: REGISTRY });
  const leaf = new X509Certificate(await readFile(scratch.at('ca/certificate.pem')));
  fingerprint = createHash('sha256').update(leaf.raw).digest('hex');
  await using connection = await connectRedis({ url: redis.url, role: 'store', name: 'test', onError: () => {} });
  const written = createWrittenEvidence(connection.client, { prefix: 'attestry' });
  const ledger = createRedisLedger(connection.client, { prefix: 'attestry' });
  for (const name of ['one', 'two', 'three']) {
    const digest = sha256(name);
    const location = { registry: REGISTRY, repository: `team/${name}`, digest };
    const own = [piece('cyclonedx', fingerprint), piece('slsaprovenance1', fingerprint), piece('vuln', 'f'.repeat(64))];
    await written.replace(location, name === 'three' ? own.slice(2) : own);
    await ledger.record(observation('pass', 1, { image: `${REGISTRY}/team/${name}@${digest}` }));
  }
  await ledger.record(observation('pass', 1, { image: `elsewhere.example.com/app@${sha256('app')}` }));
});

after(async () => {
  await Promise.all([redis[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
});

function piece(predicateType: string, signer: string): WrittenEvidence {
  const digest: Digest = sha256(predicateType);
  const descriptor = { mediaType: 'application/vnd.dsse.envelope.v1+json', digest, size: 1 };
  return { descriptor, payloadDigest: digest, predicateType, signer, rule: 'all', writtenAt: '2026-01-01T00:00:00Z' };
}

async function plan(...args: readonly string[]) {
  const { code, stdout, stderr } = await runCli([
    ...['certificate', 'rotate', 'own', '--plan', '--json', '--config', files.config],
    ...args,
  ]);
  return { code, stderr, plan: stdout === '' ? undefined : JSON.parse(stdout) };
}

async function certified(leaf: Issued, chainPem: string): Promise<readonly string[]> {
  const certificate = await scratch.write('next/leaf.pem', leaf.pem);
  return ['--certificate', certificate, '--chain', await scratch.write('next/chain.pem', chainPem)];
}

describe('certificate rotate --plan', () => {
  it('lists rules, policies that pin the CA, evidence on record and known images', async () => {
    const { code, plan: told, stderr } = await plan();
    assert.equal(code, 0, stderr);
    assert.equal(told.present.fingerprint, fingerprint);
    assert.deepEqual(told.rules, [{ name: 'all', evidence: ['cyclonedx', 'slsaprovenance1'], policies: ['check'] }]);
    const file = scratch.at('policy.yaml');
    assert.deepEqual(told.policies, [{ id: 'check', file, pins: ['intermediate', 'root'], change: 'if-root-changes' }]);
    assert.deepEqual(told.evidence, { pieces: 4, locations: 2, byRule: { all: 4 } });
    assert.equal(told.images.count, 4);
    assert.match(told.steps.join('\n'), /signers\.own\.former/);
    const text = await runCli(['certificate', 'rotate', 'own', '--plan', '--config', files.config]);
    assert.match(text.stdout, /^evidence on record: 4 in 2 places$/m);
    assert.match(
      text.stdout,
      /^ {2}1\. add the new one beside the old in .*policy\.yaml \(check\) if its root is another one$/m,
    );
  });

  it('says what a certificate of the same CA leaves as it is, and what one of another CA changes', async () => {
    const [key, issuer] = await Promise.all(
      ['ca/key.pem', 'ca/chain.pem'].map((name) => readFile(scratch.at(name), 'utf8')),
    );
    assert.ok(key && issuer);
    const foreign = makePki();
    const other = await plan(...(await certified(foreign.leaf, foreign.chainPem)));
    assert.equal(other.code, 0, other.stderr);
    const { sameRoot, sameKey, sameNames, findings } = other.plan.next;
    assert.deepEqual(
      { sameRoot, sameKey, sameNames, findings },
      { sameRoot: false, sameKey: false, sameNames: true, findings: [] },
    );
    assert.equal(other.plan.policies[0].change, 'needed');
    const same = await plan('--certificate', scratch.at('ca/certificate.pem'), '--chain', scratch.at('ca/chain.pem'));
    assert.equal(same.plan.policies[0].change, 'none');
    assert.equal(same.plan.next.sameKey, true);
  });

  it('answers 1 when the linter refuses the new certificate', async () => {
    const root = selfSigned({ subject: 'Another Root', ...caDefaults() });
    const bad = issueFrom(root, { subjectAlternativeNames: null });
    const { code, plan: told } = await plan(...(await certified(bad, root.pem)));
    assert.equal(code, 1);
    assert.equal(told.next.findings[0].rule, 'alternative-name');
    assert.match(told.steps[0], /the linter refuses it/);
  });

  it('answers 2 for a signer that is not there', async () => {
    const { code, stderr } = await runCli(['certificate', 'rotate', 'nobody', '--plan', '--config', files.config]);
    assert.equal(code, 2);
    assert.match(stderr, /there is no signer "nobody"\n.*own/);
  });
});
