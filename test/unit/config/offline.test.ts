import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText } from '../../support/config-text.ts';

const TEXT = `version: 1
offline: OFFLINE
registries:
  - { name: registry.example.com }
  - { name: 123456789012.dkr.ecr.us-east-1.amazonaws.com, credentials: { provider: ecr } }
  - { name: quay.io, sweep: { api: { type: quay, owner: acme, url: "https://api.example.com" } } }
  - { name: ghcr.io, sweep: { api: { type: github, owner: acme } }, credentials: { githubApp: { clientId: a, installationId: 1, privateKey: env:KEY } } }
  - { name: harbor.example.com, sweep: { api: { type: harbor } } }
  - { name: team.azurecr.io, sweep: { api: { type: acr } }, credentials: { username: a, password: env:KEY } }
witnesses: [{ id: log, type: rekor, url: "https://rekor.example.com" }]
signers:
  - { id: ca, type: x509, key: env:KEY, certificate: signer.crt, chain: chain.crt }
  - { id: service, type: key, key: "awskms:///alias/attestry" }
  - id: person
    type: keyless
    fulcio: { url: https://fulcio.example.com }
    identity: { subject: me@example.com, issuer: https://issuer.example.com }
    token: { from: file, path: /run/token }
    trust: file
    witnesses: log
trusts:
  - { id: file, trustedRoot: root.json, revocation: { check: leaf, lists: ["file:/a.crl", "https://a.test/b.crl"], hosts: [a.test], ocsp: true } }
  - { id: unasked, trustedRoot: root.json, revocation: { check: leaf, ocsp: false } }
  - { id: mirror, tuf: { mirror: "https://tuf.example.com", root: root.json } }
  - { id: public, sigstore: public-good, identity: { subject: a, issuer: b } }
sinks:
  - { id: stream, type: redis-stream }
  - { id: chat, type: webhook, url: "https://hooks.example.com" }
sources:
  - { id: queue, sender: ecr-sqs, queue: "https://sqs.us-east-1.amazonaws.com/123456789012/pushes", registries: 123456789012.dkr.ecr.us-east-1.amazonaws.com }
`;

test('offline: whatever would reach anything but Redis and the registries is refused by its place', async () => {
  const { problems } = await checkText(TEXT.replace('OFFLINE', 'true'));
  const offline = problems.filter(({ message }) => message.startsWith('offline is set'));
  assert.deepEqual(
    offline.map(({ key }) => key),
    [
      'registries[1].credentials.provider',
      'registries[2].sweep.api',
      'registries[3].sweep.api',
      'registries[3].credentials.githubApp',
      'witnesses[0]',
      'signers[1].key',
      'signers[2]',
      'trusts[0].revocation.lists[1]',
      'trusts[0].revocation.hosts',
      'trusts[0].revocation.ocsp',
      'trusts[2].tuf',
      'trusts[3].sigstore',
      'sinks[1]',
      'sources[0]',
    ],
  );
  for (const { severity, mend } of offline) assert.deepEqual([severity, mend.length > 0], ['error', true]);
});

test('without offline nothing of it is said', async () => {
  const { problems } = await checkText(TEXT.replace('OFFLINE', 'false'));
  assert.deepEqual(
    problems.filter(({ message }) => message.includes('offline')),
    [],
  );
});
