import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createOutbound } from '#compose/outbound.ts';
import { loadSigners } from '#compose/signers.ts';
import { Config } from '#config/schema.ts';
import { createSecretResolver } from '#config/secrets.ts';
import { signStatement } from '#signing/sign-statement.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { testKeys } from '../../support/key-ring.ts';
import { type KeylessGround, startKeyless, WORKER } from '../../support/keyless-ground.ts';
import { makePki } from '../../support/pki.ts';

const stack = new AsyncDisposableStack();
const company = makePki();
let ground: KeylessGround;
let folder: string;

before(async () => {
  ground = stack.use(await startKeyless());
  folder = await mkdtemp(join(tmpdir(), 'attestry-signers-'));
  stack.defer(() => rm(folder, { recursive: true }));
  const files = {
    'rekor1.pub': ground.rekor1.pem,
    'rekor2.pub': ground.rekor2.pem,
    'tsa.crt': ground.tsa.chainPem,
    'other-tsa.crt': makePki().chainPem,
    'signer.key': company.leaf.keyPem,
    'signer.crt': company.leaf.pem,
    'chain.crt': company.chainPem,
    token: ground.issuer.token({ email: WORKER }),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
after(() => stack.disposeAsync());

const at = (name: string) => join(folder, name);

function witnesses() {
  return [
    { id: 'first', type: 'rekor', url: ground.rekor1.url, key: at('rekor1.pub') },
    { id: 'second', type: 'rekor', version: 2, url: ground.rekor2.url, key: at('rekor2.pub') },
    { id: 'clock', type: 'timestamp-authority', url: ground.tsa.url, chain: at('tsa.crt') },
  ];
}

function keyless(change: object = {}) {
  return {
    id: 'pipeline',
    type: 'keyless',
    fulcio: { url: ground.fulcio.url },
    identity: { subject: WORKER, issuer: ground.issuer.url },
    token: { from: 'file', path: at('token') },
    trust: 'fulcio',
    witnesses: ['first', 'second', 'clock'],
    ...change,
  };
}

const x509 = () => ({
  id: 'release',
  type: 'x509',
  key: `file:${at('signer.key')}`,
  certificate: at('signer.crt'),
  chain: at('chain.crt'),
  witnesses: 'clock',
});

async function load(config: { readonly witnesses?: readonly object[]; readonly signers: readonly object[] }) {
  const { clock, pki } = ground;
  const outbound = stack.use(createOutbound({ env: {}, readFile }));
  const keys = stack.use(testKeys({ now: clock.now })).ring;
  const trusts = new Map([['fulcio', chainAttestor({ roots: pki.root.pem, requireLog: false })]]);
  const parsed = Config.parse({ version: 1, witnesses: witnesses(), ...config });
  const secrets = createSecretResolver({ env: {}, readFileSync });
  return await loadSigners(parsed, { secrets, readFile, now: clock.now, randomBytes, outbound, env: {}, keys, trusts });
}

test('signers of the configuration sign with the witnesses that they name, each by its own client', async () => {
  const signers = await load({ signers: [keyless(), x509()] });
  for (const [id, wanted] of [
    ['pipeline', [1, 1, 1, 1]],
    ['release', [0, 0, 1, 1]],
  ] as const) {
    const identity = signers.get(id);
    assert.ok(identity);
    const options = { layouts: ['cosign-tag', 'bundle'] } as const;
    const payload = Buffer.from(JSON.stringify({ subject: [], id }));
    const { witnessed } = await signStatement(identity.signer, payload, 'https://x.test/a', options);
    const { rekorV1, rekorV2, signatureTimestamps, envelopeTimestamps } = witnessed;
    const found = [rekorV1, rekorV2, signatureTimestamps, envelopeTimestamps].map(({ length }) => length);
    assert.deepEqual(found, wanted, id);
  }
});

test('nothing is asked of anybody before something is signed', async () => {
  const servers = [ground.rekor1, ground.rekor2, ground.tsa, ground.fulcio, ground.issuer];
  const asked = servers.map(({ requests }) => requests.length);
  await load({ signers: [keyless({ token: { from: 'github' } }), x509()] });
  assert.deepEqual(
    servers.map(({ requests }) => requests.length),
    asked,
  );
});

test('the key and the chain of a witness are the ones that count', async () => {
  const [first, , clock] = witnesses();
  for (const [given, problem] of [
    [[{ ...first, key: at('rekor2.pub') }], /configured key/],
    [[{ ...clock, chain: at('other-tsa.crt') }], /does not hold/],
  ] as const) {
    const signer = { ...x509(), witnesses: given.map((each) => Reflect.get(each, 'id')) };
    const identity = (await load({ witnesses: given, signers: [signer] })).get('release');
    assert.ok(identity);
    const signed = signStatement(identity.signer, Buffer.from('{}'), 'https://x.test/a', { layouts: ['cosign-tag'] });
    await assert.rejects(signed, { code: 'witness-protocol', message: problem });
  }
});

test('what would fail at the first signature stops the start, with the key that is wrong', async () => {
  const [first] = witnesses();
  await assert.rejects(load({ signers: [keyless({ trust: 'unknown' })] }), {
    code: 'config-invalid',
    field: 'signers.pipeline.trust',
  });
  await assert.rejects(load({ signers: [keyless({ witnesses: ['second'] })] }), {
    code: 'config-invalid',
    field: 'signers.pipeline.witnesses',
  });
  await assert.rejects(load({ witnesses: [{ ...first, key: at('tsa.crt') }], signers: [] }), {
    code: 'key-unreadable',
    field: 'witnesses.first',
  });
});
