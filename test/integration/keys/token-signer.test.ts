import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attest, gist, verify } from '../../support/attested.ts';
import { runCli } from '../../support/cli.ts';
import { failure } from '../../support/failure.ts';
import { testKeys } from '../../support/key-ring.ts';
import { issueFrom, makeKey, makePki } from '../../support/pki.ts';
import { pushTestImage } from '../../support/pushed-image.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { makeToken, type TestToken } from '../../support/token.ts';

let token: TestToken;
let registry: TestRegistry;
let env: Record<string, string>;
let key: string;

const pki = makePki();
const held = makeKey();

before(async () => {
  [token, registry] = await Promise.all([makeToken(), startRegistry()]);
  await token.importKey(held.export({ type: 'pkcs8', format: 'pem' }).toString(), 'release', '01');
  env = { SOFTHSM2_CONF: process.env.SOFTHSM2_CONF ?? '', COSIGN_PKCS11_PIN: token.pin };
  key = `pkcs11:token=${token.label};object=release?module-path=${token.modulePath}`;
});

after(async () => {
  await Promise.all([registry[Symbol.asyncDispose](), token[Symbol.asyncDispose]()]);
});

describe('a private CA’s certificate for a key that never leaves its token', () => {
  it('is requested, judged, and signs evidence that verifies', async () => {
    const uri = 'https://example.com/builder';
    const request = await runCli(['certificate', 'request', '--key', key, '--uri', uri], { env });
    assert.equal(request.code, 0, request.stderr);
    assert.match(request.stdout, /^-----BEGIN CERTIFICATE REQUEST-----/);
    const leaf = issueFrom(pki.intermediate, { key: held, subjectAlternativeNames: [{ type: 'uri', value: uri }] });
    const certificate = await token.scratch.write('leaf.pem', leaf.pem);
    const chain = await token.scratch.write('chain.pem', pki.chainPem);
    const lint = await runCli(['certificate', 'lint', certificate, '--chain', chain, '--key', key], { env });
    assert.equal(lint.code, 0, lint.stdout);
    const image = await pushTestImage(registry.host);
    const flags = ['--key', key, '--certificate', certificate, '--certificate-chain', chain];
    const { attestations } = await attest([image.reference, ...flags], env);
    assert.deepEqual(
      attestations.map(({ state }) => state),
      ['created', 'created'],
    );
    const report = await verify([image.reference, '--type', 'cyclonedx', '--certificate-chain', chain]);
    assert.deepEqual([report.code, ...gist(report)], [0, 'pass: verified']);
  });

  it('of another key is refused before anything is signed', async () => {
    const certificate = await token.scratch.write('other.pem', pki.leaf.pem);
    const chain = await token.scratch.write('chain.pem', pki.chainPem);
    const lint = await runCli(['certificate', 'lint', certificate, '--chain', chain, '--key', key], { env });
    assert.equal(lint.code, 1);
    assert.match(lint.stdout, /key-matches/);
    const image = await pushTestImage(registry.host, { repository: 'team/other' });
    const flags = ['--key', key, '--certificate', certificate, '--certificate-chain', chain];
    const refused = await runCli(['attest', image.reference, ...flags], { env });
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /key-matches/);
  });
});

it('a PIN that is wrong or missing stops a command with its mend, and is never shown', async () => {
  const wrong = await runCli(['certificate', 'request', '--key', key, '--uri', 'https://a/b'], {
    env: { ...env, COSIGN_PKCS11_PIN: '99999999' },
  });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /the PIN is wrong \(CKR_PIN_INCORRECT\)\n {2}correct the PIN/);
  assert.doesNotMatch(wrong.stderr, /99999999/);
  await using keys = testKeys({});
  const missing = await failure(keys.open(key));
  assert.equal(missing.code, 'key-unauthorized');
});
