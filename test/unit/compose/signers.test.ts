import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signStatement } from '#signing/sign-statement.ts';
import { type SigningConfigGround, startSigningConfig } from '../../support/signing-config.ts';

let config: SigningConfigGround;
before(async () => {
  config = await startSigningConfig();
});
after(() => config[Symbol.asyncDispose]());

test('signers of the configuration sign with the witnesses that they name, each by its own client', async () => {
  const signers = await config.load({ signers: [config.keyless(), config.x509()] });
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
  const { rekor1, rekor2, tsa, fulcio, issuer } = config.ground;
  const servers = [rekor1, rekor2, tsa, fulcio, issuer];
  const asked = servers.map(({ requests }) => requests.length);
  await config.load({ signers: [config.keyless({ token: { from: 'github' } }), config.x509()] });
  assert.deepEqual(
    servers.map(({ requests }) => requests.length),
    asked,
  );
});

test('the key and the chain of a witness are the ones that count', async () => {
  const [first, , clock] = config.witnesses;
  for (const [witness, problem] of [
    [{ ...first, key: config.at('rekor2.pub') }, /configured key/],
    [{ ...clock, chain: config.at('other-tsa.crt') }, /does not hold/],
  ] as const) {
    const signers = await config.load({ witnesses: [witness], signers: [config.x509({ witnesses: witness.id })] });
    const identity = signers.get('release');
    assert.ok(identity);
    const signed = signStatement(identity.signer, Buffer.from('{}'), 'https://x.test/a', { layouts: ['cosign-tag'] });
    await assert.rejects(signed, { code: 'witness-protocol', message: problem });
  }
});

test('what would fail at the first signature stops the start, with the key that is wrong', async () => {
  const [first] = config.witnesses;
  const { key, ...unchecked } = first;
  await assert.rejects(config.load({ signers: [config.keyless({ trust: 'unknown' })] }), {
    code: 'config-invalid',
    field: 'signers.pipeline.trust',
  });
  for (const refused of [
    { signers: [config.keyless({ witnesses: ['second'] })] },
    { witnesses: [unchecked], signers: [config.keyless({ witnesses: ['first'] })] },
  ]) {
    await assert.rejects(config.load(refused), { code: 'config-invalid', field: 'signers.pipeline.witnesses' });
  }
  await assert.rejects(config.load({ witnesses: [{ ...first, key: config.at('tsa.crt') }], signers: [] }), {
    code: 'key-unreadable',
    field: 'witnesses.first',
  });
  assert.ok(key);
});
