import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathLevels, pathProblem } from '#model/registry-limits.ts';
import { NO_CONTENT, probe, refuseDeepPath } from '#oci/capabilities.ts';
import { createCapabilityMemo, type LearntCapability } from '#oci/capability-memo.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';

const START = Date.parse('2026-01-02T03:04:05.000Z');
const MINUTE = 60_000;

function clock() {
  let at = START;
  return {
    now: () => new Date(at),
    pass(ms: number) {
      at += ms;
    },
  };
}

test('what is learnt of a registry holds for all its repositories; of tags and room, for one', () => {
  const { now } = clock();
  const memo = createCapabilityMemo({ now });
  assert.deepEqual(memo.known('r.test', 'a'), {});
  memo.learn('r.test', 'a', 'referrers-api', false);
  memo.learn('r.test', 'a', 'deletes', true);
  memo.learn('r.test', 'a', 'immutable-tags', true);
  memo.learn('r.test', 'a', 'quota-exceeded', true);
  assert.deepEqual(memo.known('r.test', 'b'), { referrers: 'tag', deletes: true });
  assert.deepEqual(memo.known('r.test', 'a'), {
    referrers: 'tag',
    immutableTags: true,
    quotaExceeded: true,
    deletes: true,
  });
  assert.deepEqual(memo.known('other.test', 'a'), {});
});

test('it is forgotten after a while, want of room first', () => {
  const { now, pass } = clock();
  const memo = createCapabilityMemo({ now });
  memo.learn('r.test', 'a', 'referrers-api', true);
  memo.learn('r.test', 'a', 'quota-exceeded', true);
  pass(5 * MINUTE);
  assert.deepEqual(memo.known('r.test', 'a'), { referrers: 'api' });
  assert.deepEqual(
    memo.export().map(({ what }) => what),
    ['referrers-api'],
  );
  pass(55 * MINUTE);
  assert.deepEqual(memo.known('r.test', 'a'), {});
  assert.deepEqual(memo.export(), []);
});

test('it goes to another process as plain data, and the newer word counts', () => {
  const { now, pass } = clock();
  const told: LearntCapability[] = [];
  const memo = createCapabilityMemo({ now, onLearnt: (learnt) => void told.push(learnt) });
  memo.learn('r.test', 'a', 'referrers-api', false);
  memo.learn('r.test', 'a', 'referrers-api', false);
  assert.equal(told.length, 1);
  const kept = JSON.parse(JSON.stringify(memo.export())) as unknown[];
  assert.deepEqual(kept, told);
  pass(MINUTE);
  const other = createCapabilityMemo({ now });
  other.learn('r.test', 'a', 'referrers-api', true);
  other.restore(kept);
  assert.deepEqual(other.known('r.test', 'a'), { referrers: 'api' });
  memo.restore(other.export());
  assert.deepEqual(memo.known('r.test', 'a'), { referrers: 'api' });
});

test('what is no such data is left out', () => {
  const { now } = clock();
  const memo = createCapabilityMemo({ now });
  const good = { registry: 'r.test', what: 'deletes', holds: true, at: now().toISOString() };
  memo.restore([
    null,
    'x',
    { ...good, what: 'flies' },
    { ...good, at: 'yesterday' },
    { ...good, holds: 1 },
    { ...good, repository: 3 },
  ]);
  assert.deepEqual(memo.export(), []);
  memo.restore([good]);
  assert.deepEqual(memo.export(), [good]);
});

test('what it holds is bounded', () => {
  const memo = createCapabilityMemo({ now: clock().now });
  for (let at = 0; at <= 10_000; at++) memo.learn('r.test', `app-${at}`, 'immutable-tags', true);
  assert.equal(memo.export().length, 10_000);
  assert.deepEqual(memo.known('r.test', 'app-0'), {});
  assert.deepEqual(memo.known('r.test', 'app-10000'), { immutableTags: true });
});

test('Docker Hub takes two levels, by whichever name', () => {
  for (const host of ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'Docker.IO']) {
    assert.equal(pathLevels(host), 2);
    assert.equal(pathProblem(host, 'team/app'), undefined);
    assert.match(pathProblem(host, 'team/app/evidence')?.message ?? '', /2 levels, and team\/app\/evidence has 3/);
    const refuse = () =>
      refuseDeepPath({ name: host, baseUrl: new URL('https://mirror.example/') }, 'team/app/evidence');
    assert.throws(refuse, { code: 'path-too-deep', mend: 'use a repository such as team/app-evidence' });
  }
  assert.equal(pathProblem('registry.example.com', 'a/b/c/d/e'), undefined);
});

test('a probe of a local store asks nobody', async () => {
  const known = await probe(createMemoryTarget(), 'team/app');
  assert.deepEqual(known, { referrers: 'api', immutableTags: false, quotaExceeded: false, deletes: true });
  assert.match(NO_CONTENT, /^sha256:0{64}$/);
});
