import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText, MINIMAL } from '../../support/config-text.ts';

test('a minimal configuration is valid without a warning', async () => {
  const { config, problems } = await checkText(MINIMAL);
  assert.deepEqual(problems, []);
  assert.equal(config?.registries[0]?.id, 'main');
});

/** Each mistake: the text after `version: 1`, the key it is found at, its place, and what is said. */
const MISTAKES: readonly (readonly [text: string, key: string, place: string, message: RegExp, mend: RegExp])[] = [
  ['instanc: {}', 'instanc', '2:1', /unknown key/, /did you mean "instance"/],
  ['zzz: 1', 'zzz', '2:1', /unknown key/, /keys here: version, instance/],
  ['log: { Level: info }', 'log.Level', '2:8', /unknown key/, /did you mean "level"/],
  ['log: { level: inof }', 'log.level', '2:8', /not one of trace, debug, info/, /did you mean "info"/],
  ['log: loud', 'log', '2:1', /expected a map/, /write a map/],
  ['ledger:\n  history:', 'ledger.history', '3:3', /has no value/, /remove the key/],
  ['ledger:\n  history: many', 'ledger.history', '3:3', /expected a number/, /write a number/],
  ['ledger:\n  history: 0', 'ledger.history', '3:3', /at least 1/, /Changes kept/],
  ['ledger:\n  history: 1.5', 'ledger.history', '3:3', /whole number/, /whole number/],
  ['reconcile: { wake: 5 }', 'reconcile.wake', '2:14', /expected a text/, /a number with a unit/],
  ['reconcile: { wake: 5x }', 'reconcile.wake', '2:14', /not a duration/, /30s, 5m, 6h/],
  ['reconcile: { wake: 2h }', 'reconcile.wake', '2:14', /out of range/, /from 1s to 1h/],
  ['sbom: { limits: { layer: 5GB } }', 'sbom.limits.layer', '2:19', /not a size/, /64MiB/],
  ['redis: { url: "redis://:pw@host" }', 'redis.url', '2:10', /must not hold credentials/, /secret reference/],
  ['redis: { url: "http://host" }', 'redis.url', '2:10', /scheme http:/, /redis:\/\/host/],
  ['redis: { password: hunter2 }', 'redis.password', '2:10', /must not stand in the file/, /env:NAME or file:/],
  ['redis: { password: 12345 }', 'redis.password', '2:10', /expected a text/, /env:NAME or file:/],
  ['registries: [{ name: "https://r" }]', 'registries[0].name', '2:16', /is a URL/, /without https/],
  ['registries: [{ id: Main, name: r.io }]', 'registries[0].id', '2:16', /not an id/, /lower-case/],
  ['registries: { a: b }', 'registries', '2:1', /expected a list/, /write a list/],
  [
    'rules: [{ name: r, verifiers: foo }]',
    'rules[0].verifiers',
    '2:20',
    /none of what may stand/,
    /one of attestry, cosign-3, .*policy-controller, or a list of them/,
  ],
  ['registries: [{ id: a }]', 'registries[0].name', '2:14', /is missing/, /How references/],
  [
    'registries: [{ name: r.io, credentials: { username: u } }]',
    'registries[0].credentials',
    '2:28',
    /password is missing beside username/,
    /exactly one of: username with password, or token, or dockerConfig/,
  ],
  [
    'registries: [{ name: r.io, credentials: { token: env:A, dockerConfig: b } }]',
    'registries[0].credentials',
    '2:28',
    /token and dockerConfig exclude each other/,
    /exactly one/,
  ],
  ['signers: [{ id: a, type: x5o9 }]', 'signers[0].type', '2:20', /not one of x509, key/, /did you mean "x509"/],
  ['signers: [{ id: a, type: key, key: "-----BEGIN" }]', 'signers[0].key', '2:31', /must not stand/, /env:NAME/],
  ['trusts: [{ id: a }]', 'trusts[0]', '2:10', /nothing is given/, /certificateChain, or caRoots, or key/],
  ['trusts: [{ id: a, key: k, identity: me }]', 'trusts[0].identity', '2:27', /no identity/, /remove identity/],
  [
    'trusts: [{ id: a, key: k, certificateLogs: [l.pub] }]',
    'trusts[0].certificateLogs',
    '2:27',
    /no certificate to be logged/,
    /remove certificateLogs/,
  ],
  [
    'trusts: [{ id: a, caRoots: r, transparencyLog: required }]',
    'trusts[0].transparencyLog',
    '2:31',
    /nothing is given to check it with/,
    /public key of the log under logs/,
  ],
  ['trusts: [{ id: a, trustedRoot: r, logs: [l.pub] }]', 'trusts[0].logs', '2:35', /holds these itself/, /remove logs/],
  ['trusts: [{ id: a, sigstore: public-good }]', 'trusts[0].identity', '2:10', /believe anybody/, /subject and issuer/],
  [
    'trusts: [{ id: a, caRoots: r, identity: { subject: a, subjectRegExp: b } }]',
    'trusts[0].identity.subjectRegExp',
    '2:55',
    /asked for twice/,
    /keep one of/,
  ],
  ['trusts: [{ id: a, key: "env:K" }]', 'trusts[0].key', '2:19', /plain path/, /path itself/],
  ['rules: [{ name: a, match: { tag: "v?" } }]', 'rules[0].match.tag', '2:29', /no wildcard here/, /only \*/],
  [
    'rules: [{ name: a, onLapse: ignore }]',
    'rules[0].onLapse',
    '2:20',
    /not one of attest, alert/,
    /write one of them/,
  ],
  [
    'sources: [{ id: a, sender: harbour }]',
    'sources[0].sender',
    '2:20',
    /not one of distribution, gitlab, harbor, zot/,
    /did you mean "harbor"/,
  ],
  ['sinks: [{ id: a, type: redis-stream, events: dev.x }]', 'sinks[0].events', '2:38', /no event type/, /events\.md/],
  ['sinks: [{ id: a, type: webhook, url: "https://u:p@h" }]', 'sinks[0].url', '2:33', /credentials/, /secret/],
];

for (const [text, key, place, message, mend] of MISTAKES) {
  test(`${text.replaceAll('\n', ' ')}: told at ${place}`, async () => {
    const { config, problems } = await checkText(`version: 1\n${text}\n`);
    assert.equal(config, undefined);
    const problem = problems.find((candidate) => candidate.key === key);
    assert.ok(problem, `no problem at ${key}: ${JSON.stringify(problems)}`);
    assert.equal(`${problem.line}:${problem.column}`, place);
    assert.match(problem.message, message);
    assert.match(problem.mend, mend);
    assert.equal(problems.length, 1, JSON.stringify(problems));
  });
}

test('a secret that stands in the file is not repeated anywhere', async () => {
  const text =
    'version: 1\nredis: { url: "redis://:hunter2@h", password: hunter2 }\nsinks: [{ id: a, type: webhook, url: "https://u:hunter2@h", secret: hunter2 }]\n';
  const { problems } = await checkText(text);
  assert.equal(problems.length, 4);
  assert.doesNotMatch(JSON.stringify(problems), /hunter2/);
});

test('every mistake is told at once, in the order of the file; a broken entry hides no other', async () => {
  const { problems } = await checkText(`version: 2
registries:
  - name: a.example.com
  - name: b.example.com
    aliases: a.example.com
    port: 5000
signers:
  - { id: s, type: key, key: inline }
rules:
  - name: one
    evidence:
      - { type: cyclonedx, signer: t }
      - { typ: cyclonedx, signer: s }
    policies: [p]
`);
  assert.deepEqual(
    problems.map(({ key, line }) => [key, line]),
    [
      ['version', 1],
      ['registries[1].port', 6],
      ['signers[0].key', 8],
      ['rules[0].evidence[0].signer', 12],
      ['rules[0].evidence[1].type', 13],
      ['rules[0].evidence[1].typ', 13],
      ['rules[0].policies[0]', 14],
    ],
  );
});

test('what is no YAML is told with its place', async () => {
  const broken = await checkText('version: 1\nrules: [}\n');
  assert.equal(broken.config, undefined);
  assert.equal(broken.problems[0]?.line, 2);
  const twice = await checkText('version: 1\nlog: {}\nlog: {}\n');
  assert.match(twice.problems[0]?.message ?? '', /unique/i);
  assert.equal(twice.problems[0]?.line, 3);
});

test('an empty file, a list and a text are no configuration', async () => {
  for (const text of ['', '- a\n', 'hello\n']) {
    const { config, problems } = await checkText(text);
    assert.equal(config, undefined);
    assert.equal(problems.length, 1, text);
  }
});

test('bombs are bounded: size, aliases, depth', async () => {
  const large = await checkText(`version: 1\n# ${'x'.repeat(1024 * 1024)}\n`);
  assert.match(large.problems[0]?.message ?? '', /larger than 1 MiB/);
  const levels = Array.from({ length: 9 }, (_, level) => {
    const items = Array(9)
      .fill(level === 0 ? 'x' : `*l${level - 1}`)
      .join(', ');
    return `l${level}: &l${level} [${items}]`;
  });
  const laughs = await checkText(`version: 1\n${levels.join('\n')}\n`);
  assert.equal(laughs.config, undefined);
  assert.match(laughs.problems[0]?.message ?? '', /alias/i);
  const deep = await checkText(`version: 1\nlog: ${'['.repeat(200_000)}\n`);
  assert.equal(deep.config, undefined);
  assert.ok(deep.problems.length > 0);
});

test('aliases may repeat what a person does not want to write twice', async () => {
  const text = MINIMAL.replace('evidence: [{', 'evidence: &both [{').replace(
    'sources:',
    '  - name: more\n    match: { tag: x }\n    evidence: *both\nsources:',
  );
  const { problems } = await checkText(text);
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
});

test('a file that cannot be read says how to name it', async () => {
  const { problems } = await checkText('version: 1\nlog: {}\n', {
    files: { '/etc/attestry/attestry.yaml': undefined as never },
  });
  assert.match(problems[0]?.message ?? '', /cannot be read \(no such file\)/);
  assert.match(problems[0]?.mend ?? '', /--config/);
});

test('files and variables that are missing are told with their key, by whose they are', async () => {
  const keysOf = async (scope: 'all' | 'worker' | 'producer' | 'none', given = {}) =>
    (await checkText(MINIMAL, { scope, ...given })).problems.map(({ key }) => key);
  const worker = ['signers[0].certificate', 'signers[0].chain', 'signers[0].key', 'policies[0].file'];
  assert.deepEqual((await keysOf('worker')).sort(), worker.sort());
  assert.deepEqual(await keysOf('producer'), ['sources[0].auth.bearer']);
  assert.deepEqual(await keysOf('none'), []);
  const files = { '/etc/attestry/signer.crt': 'x', '/etc/attestry/chain.crt': 'x', '/etc/attestry/policy.yaml': '' };
  const { problems } = await checkText(MINIMAL, { scope: 'all', files, env: { KEY: 'k', TOKEN: '' } });
  assert.deepEqual(
    problems.map(({ key, message }) => [key, message]),
    [
      ['policies[0].file', 'the file /etc/attestry/policy.yaml is empty'],
      ['sources[0].auth.bearer', 'the environment variable TOKEN is empty'],
    ],
  );
});
