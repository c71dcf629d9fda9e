import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import type { PushEvent } from '#model/push-event.ts';
import { type Binding, decide, type Facts } from '#producer/intake/decide.ts';
import { shown } from '#producer/intake/shown.ts';
import { bindRegistries } from '#producer/intake/source.ts';

const HEX = 'a'.repeat(64);
const DIGEST = `sha256:${HEX}` as const;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const HELM = [{ mediaType: 'application/vnd.cncf.helm.config.v1+json' }];

const binding: Binding = {
  ...bindRegistries([{ id: 'r', name: 'registry.example.com', hosts: ['localhost:5000'] }]),
  registry: 'registry.example.com',
  digestOnly: 'skip',
  isAttestationTag: evidenceTagTest(),
  isIgnoredActor: (actor) => actor === 'robot',
};
const nothing: Facts = { ownPush: () => false, seen: () => false };
const base: PushEvent = { id: '1', hosts: ['registry.example.com'], repository: 'team/app', tag: '1', digest: DIGEST };

function reasons(events: readonly Partial<PushEvent>[], facts = nothing, bound = binding): readonly string[] {
  const items = events.map((event, index) => ({ from: `[${index}]`, event: { ...base, id: `${index}`, ...event } }));
  return decide(items, bound, facts).map((decision) => {
    return 'skipped' in decision ? decision.skipped.skip : 'enqueue';
  });
}

function reason(event: Partial<PushEvent>, facts = nothing, bound = binding): string | undefined {
  return reasons([event], facts, bound)[0];
}

function reasonOf(event: PushEvent, facts: Facts): string | undefined {
  const [decision] = decide([{ from: 'x', event }], binding, facts);
  return decision && 'skipped' in decision ? decision.skipped.skip : 'enqueue';
}

function without<K extends keyof PushEvent>(name: K, event: PushEvent): Omit<PushEvent, K> {
  return Object.fromEntries(Object.entries(event).filter(([key]) => key !== name)) as Omit<PushEvent, K>;
}

describe('decide', () => {
  test('exactly one reason, the first in the order of the vocabulary', () => {
    // Each event has every fault from its own on: removing the first uncovers the next.
    const everything = { ownPush: () => true, seen: () => true };
    const worst = {
      hosts: ['evil.example'],
      repository: 'Team/App',
      tag: `sha256-${HEX}.att`,
      digest: 'sha256:short',
      mediaType: MANIFEST,
      references: HELM,
    };
    const known = { ...worst, hosts: base.hosts };
    const named = { ...known, repository: 'team/app' };
    const digested = { ...named, digest: DIGEST };
    assert.equal(reason(worst, everything), 'host-not-allowed');
    assert.equal(reason(known, everything), 'invalid-repository');
    assert.equal(reason({ ...named, tag: '.x' }, everything), 'invalid-tag');
    assert.equal(reason(named, everything), 'invalid-digest');
    assert.equal(reason(digested, everything), 'own-push');
    const notOwn = { ownPush: () => false, seen: () => true };
    assert.equal(reason({ ...digested, proven: 'has-subject' }, notOwn), 'attestation-tag');
    assert.equal(reason({ ...digested, tag: '1', proven: 'has-subject' }, notOwn), 'has-subject');
    assert.equal(reason({ ...digested, tag: '1' }, notOwn), 'artifact-not-image');
    assert.equal(reasonOf(without('tag', base), notOwn), 'digest-only');
    assert.equal(reason({}, notOwn), 'duplicate');
    assert.equal(reason({}), 'enqueue');
  });

  test('a host is compared exactly, and every claimed host counts', () => {
    assert.equal(reason({ hosts: ['LOCALHOST:5000'] }), 'enqueue');
    assert.equal(reason({ hosts: [] }), 'enqueue');
    for (const host of ['registry.example.com.evil.example', 'evil-registry.example.com', 'localhost', '']) {
      assert.equal(reason({ hosts: [host] }), 'host-not-allowed', host);
    }
    assert.equal(reason({ hosts: ['registry.example.com', 'evil.example'] }), 'host-not-allowed');
    const { registry: _registry, ...many } = binding;
    assert.equal(reason({ hosts: [] }, nothing, many), 'missing-host');
  });

  test("the job names the registry by its configured name, not by the event's", () => {
    const [decision] = decide([{ from: 'x', event: { ...base, hosts: ['localhost:5000'] } }], binding, nothing);
    assert.ok(decision && 'enqueue' in decision);
    assert.equal(decision.enqueue.image.registry, 'registry.example.com');
  });

  test('own pushes are looked up by the repository in full', () => {
    const own = (wanted: string) => ({ ownPush: (path: string) => path === wanted, seen: () => false });
    assert.equal(reason({}, own('registry.example.com/team/app')), 'own-push');
    assert.equal(reason({}, own('registry.example.com/team/other')), 'enqueue');
    assert.equal(reason({ actor: 'robot' }), 'own-push');
  });

  test('one image twice in a request is one job, whatever the ids; two images under one id are two', () => {
    assert.deepEqual(reasons([{}, { tag: '2' }]), ['enqueue', 'duplicate']);
    assert.deepEqual(reasons([{ id: 'x' }, { id: 'x', repository: 'team/other' }]), ['enqueue', 'enqueue']);
  });

  test('an index proves nothing by its children, an image by its config', () => {
    const children = [{ mediaType: MANIFEST }];
    assert.equal(reason({ mediaType: 'application/vnd.oci.image.index.v1+json', references: children }), 'enqueue');
    const config = [{ mediaType: 'application/vnd.docker.container.image.v1+json' }, { mediaType: 'layer' }];
    assert.equal(reason({ mediaType: MANIFEST, references: config }), 'enqueue');
    assert.equal(reason({ mediaType: MANIFEST, references: HELM }), 'artifact-not-image');
  });
});

describe('attestation tags', () => {
  test('digest tags, alone or with a suffix of cosign; anything else is an ordinary tag', () => {
    const is = evidenceTagTest();
    for (const suffix of ['', '.sig', '.att', '.sbom']) {
      assert.equal(is(`sha256-${HEX}${suffix}`), true);
      assert.equal(is(`sha512-${HEX}${suffix}`), true);
    }
    for (const tag of [
      'sha256-notahash',
      `sha256-${HEX}a`,
      `sha256-${HEX}.tar`,
      `x-sha256-${HEX}`,
      `sha256-${'A'.repeat(64)}`,
    ]) {
      assert.equal(is(tag), false, tag);
    }
  });

  test('configured suffixes and prefixes count beside them, literally', () => {
    const is = evidenceTagTest({ suffixes: ['intoto', '.v+'], prefixes: ['signed-'] });
    assert.equal(is(`sha256-${HEX}.intoto`), true);
    assert.equal(is(`sha256-${HEX}.v+`), true);
    assert.equal(is(`sha256-${HEX}.vv`), false);
    assert.equal(is(`signed-sha256-${HEX}.sig`), true);
    assert.equal(is(`sha256-${HEX}.sig`), true);
  });
});

test('foreign names lose what forges lines, and their end', () => {
  assert.equal(shown('a\nb\u001b[31mc\u202ed\u2028e'), 'ab[31mcde');
  assert.equal(shown('x'.repeat(10_000)).length, 301);
});
