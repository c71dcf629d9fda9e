import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { exampleSource } from '#cli/hooks/example-source.ts';
import { loadConfig } from '#config/load.ts';
import { sha256 } from '#model/digest.ts';
import { createAuthenticator } from '#producer/intake/authenticate-delivery.ts';
import { decide } from '#producer/intake/decide.ts';
import type { SourceOptions } from '#producer/intake/options.ts';
import { prove } from '#producer/intake/prove.ts';
import { receiverOf } from '#producer/intake/receiver.ts';
import { boundRegistries, mountSource } from '#producer/intake/source.ts';
import type { Paste, Receiver } from '#producer/webhooks/guide.ts';
import { GUIDES } from '#producer/webhooks/guides/index.ts';
import { ADAPTERS, adapterOf } from '#producer/webhooks/index.ts';
import type { SourceAuth } from '#producer/webhooks/options.ts';
import { createIntakeMemory } from '../../support/intake-memory.ts';
import { secretsFrom } from '../../support/producer.ts';

const BASE = 'https://hooks.example.org/below';
const SECRET = `it's "a" $ecret/with\\signs&more`;
const NOW = new Date('2026-03-02T10:15:31.250Z');
const ID = 'dc633488-0202-4008-86a5-a78b7aeb312d';

/** The source of a guide's example, with the ways to prove itself that its adapter knows. */
async function sourcesOf(sender: string): Promise<{ name: string; sources: readonly SourceOptions[] }> {
  const guide = GUIDES.find((one) => one.sender === sender);
  assert.ok(guide);
  const { text } = await exampleSource(guide, BASE);
  const readFile = async () => Buffer.from(text);
  const { sources } = await loadConfig('attestry.yaml', { readFile, env: {} }, 'none');
  const [source] = sources;
  assert.ok(source);
  const kinds = source.auth.kind === 'pulled' ? [] : (adapterOf(sender)?.auth ?? []);
  const auths = AUTHS.filter(({ kind }) => kinds.includes(kind) && kind !== source.auth.kind);
  return {
    name: guide.example.registry,
    sources: [source, ...auths.map((auth) => ({ ...source, auth }) as SourceOptions)],
  };
}

const AUTHS: readonly SourceAuth[] = [
  { kind: 'none' },
  { kind: 'bearer', secrets: ['env:TOKEN'] },
  { kind: 'basic', username: 'hook', passwords: ['env:TOKEN'] },
  { kind: 'static-header', header: 'authorization', secrets: ['env:TOKEN'] },
  { kind: 'static-header', header: 'x-own', secrets: ['env:TOKEN'] },
  { kind: 'query-token', parameter: 'token', secrets: ['env:OLD', 'env:TOKEN'] },
  { kind: 'hmac', secrets: ['env:OLD', 'env:TOKEN'] },
];

/** Forges send no header of one's own choice but Authorization. */
function isUnknownHeader(sender: string, auth: SourceAuth): boolean {
  return ['gitea', 'forgejo'].includes(sender) && auth.kind === 'static-header' && auth.header !== 'authorization';
}

function textOf(paste: Paste): string {
  const text = 'fields' in paste ? paste.fields.map((pair) => pair.join(': ')).join('\n') : paste.text;
  return `${paste.where}\n${text}`;
}

function pasted(sender: string, receiver: Receiver): string {
  const guide = GUIDES.find((one) => one.sender === sender);
  return (guide?.paste(receiver) ?? []).map(textOf).join('\n');
}

test('there is a guide for each sender, one file each', () => {
  const senders = ADAPTERS.map(({ id }) => id).sort();
  assert.deepEqual(GUIDES.map(({ sender }) => sender).sort(), senders);
  const files = readdirSync(join(import.meta.dirname, '../../../producer/webhooks/guides'));
  const named = files.map((name) => name.replace(/\.ts$/, '')).filter((name) => name !== 'index');
  assert.deepEqual(named.sort(), senders);
});

/** What a shell says to a script that it reads and does not run. */
function shellComplaint(script: string): string {
  return spawnSync('sh', ['-n'], { input: script, encoding: 'utf8' }).stderr;
}

test('between the double quotes of a shell a secret is itself, shown or by its place', async () => {
  const { name, sources } = await sourcesOf('github');
  const [source] = sources;
  assert.ok(source);
  for (const reveal of [() => SECRET, () => undefined]) {
    const { signingSecret } = receiverOf(source, [name], BASE, reveal);
    const env = { PATH: process.env.PATH, ATTESTRY_GITHUB_SECRET: SECRET };
    const { stdout } = spawnSync('sh', ['-c', `printf %s "${signingSecret?.shell}"`], { env, encoding: 'utf8' });
    assert.equal(stdout, SECRET);
  }
});

describe('what is pasted on the registry’s side', () => {
  for (const { sender } of GUIDES) {
    test(`${sender}: holds the address and no secret, or the secret that was asked for`, async () => {
      const { name, sources } = await sourcesOf(sender);
      for (const source of sources) {
        const hidden = pasted(
          sender,
          receiverOf(source, [name], BASE, () => undefined),
        );
        const place = source.auth.kind === 'pulled' ? 'attestry-ecr|zot\\.events' : `${BASE}/hooks/${sender}`;
        assert.match(hidden, new RegExp(place), source.auth.kind);
        assert.ok(!/undefined|\[object/.test(hidden), hidden);
        if (['none', 'sns-signature', 'oidc', 'pulled'].includes(source.auth.kind)) continue;
        if (isUnknownHeader(sender, source.auth)) {
          assert.match(hidden, /configure that header for the source, not X-Own/);
          continue;
        }
        const secret = /(?:value of |\$)(?:TOKEN|ATTESTRY_[A-Z_]+)/;
        assert.match(hidden, secret, `${source.auth.kind} is not in:\n${hidden}`);
        const plain = pasted(
          sender,
          receiverOf(source, [name], BASE, () => 'plain-secret'),
        );
        const encoded = Buffer.from(`${'username' in source.auth ? source.auth.username : ''}:plain-secret`);
        assert.ok(
          plain.includes('plain-secret') || plain.includes(encoded.toString('base64')),
          `${source.auth.kind} shows no secret:\n${plain}`,
        );
      }
    });

    test(`${sender}: is well formed, whatever the secret holds`, async () => {
      const guide = GUIDES.find((one) => one.sender === sender);
      const { name, sources } = await sourcesOf(sender);
      for (const source of sources) {
        const receiver = receiverOf(source, [name], BASE, () => SECRET);
        for (const paste of guide?.paste(receiver) ?? []) {
          if ('fields' in paste) continue;
          if (paste.language === 'json') assert.doesNotThrow(() => JSON.parse(paste.text), paste.text);
          if (paste.language === 'sh') assert.equal(shellComplaint(paste.text), '', paste.text);
          if (paste.language !== 'yaml') continue;
          for (const document of parseAllDocuments(paste.text)) assert.deepEqual(document.errors, [], paste.text);
        }
      }
    });
  }
});

describe('samples', () => {
  for (const { sender, sample } of GUIDES) {
    test(`${sender}: is read as the image that it tells of`, async () => {
      const { name, sources } = await sourcesOf(sender);
      const adapter = adapterOf(sender);
      assert.ok(adapter);
      const [source] = sources;
      const receiver = source
        ? receiverOf(source, [name], BASE, () => undefined)
        : { id: sender, url: BASE, address: { text: '', shell: '' }, registries: [name], settings: {} };
      const first = Object.values(receiver.settings.repoKeyMap ?? {})[0];
      const repository = `${first ?? 'team'}/app`;
      const image = { registry: name, repository, tag: '1.0', digest: sha256('sample') };
      const { headers, body } = sample({ image, id: ID, at: NOW, receiver });
      const delivery = { method: 'POST', headers, query: {}, body: Buffer.from(body) };
      const registries = boundRegistries([{ id: 'main', name, aliases: [] }]);
      const bound = source ? mountSource(source, registries, secretsFrom(ALL)) : undefined;
      const binding = bound?.binding ?? {
        registryOf: (host: string) => host,
        registry: name,
        digestOnly: 'skip' as const,
        isAttestationTag: () => false,
        isIgnoredActor: () => false,
      };
      const items = adapter.events(delivery, bound?.settings);
      const decisions = decide(items, binding, { ownPush: () => false, seen: () => false });
      assert.equal(decisions.length, 1, JSON.stringify(decisions));
      const [decision] = decisions;
      assert.ok(decision && 'enqueue' in decision, JSON.stringify(decision));
      const found = decision.enqueue.image;
      assert.deepEqual([found.registry, found.repository, found.tag], [name, repository, '1.0']);
      // Some senders tell no digest.
      if (found.digest !== undefined) assert.equal(found.digest, image.digest);
      assert.equal(found.digest !== undefined, tellsDigest(sender));
    });

    test(`${sender}: is proved as the sender proves it`, async () => {
      const { name, sources } = await sourcesOf(sender);
      const registries = boundRegistries([{ id: 'main', name, aliases: [] }]);
      const { outbound } = createIntakeMemory().ports;
      for (const options of sources) {
        const source = mountSource(options, registries, secretsFrom(ALL));
        const receiver = receiverOf(options, [name], BASE, () => undefined);
        const image = { registry: name, repository: 'team/app', tag: '1.0', digest: sha256('sample') };
        const { headers, body } = sample({ image, id: ID, at: NOW, receiver });
        const proof = prove(source.credential, body);
        if ('cannot' in proof) {
          assert.ok(['sns-signature', 'oidc', 'pulled'].includes(options.auth.kind));
          continue;
        }
        const authenticator = createAuthenticator(outbound, () => NOW);
        const request = { method: 'POST', query: proof.query, body: Buffer.from(body) };
        const proved = { ...request, headers: { ...headers, ...proof.headers } };
        assert.deepEqual((await authenticator.authenticate(source, proved)).ok, true, options.auth.kind);
        if (options.auth.kind === 'none') continue;
        const bare = { ...request, query: {}, headers };
        assert.deepEqual((await authenticator.authenticate(source, bare)).ok, false, options.auth.kind);
      }
    });
  }
});

/** Each reference of the examples, and those of the other ways. */
const ALL: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'TOKEN',
    'OLD',
    ...['HOOK_TOKEN', 'HOOK_PASSWORD', 'GITHUB_SECRET', 'ARTIFACTORY_SECRET', 'NEXUS_SECRET', 'FORGE_SECRET'].map(
      (name) => `ATTESTRY_${name}`,
    ),
  ].map((name) => [name, `${SECRET.replaceAll(' ', '_')}_${name}`]),
);

function tellsDigest(sender: string): boolean {
  return !['quay', 'dockerhub', 'nexus', 'gitea', 'forgejo'].includes(sender);
}
