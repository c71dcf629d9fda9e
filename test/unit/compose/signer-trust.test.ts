import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { sha256 } from '#model/digest.ts';
import type { EvidenceLayout, RawEvidence } from '#model/evidence.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { ConfiguredSigner, SignedStatement } from '#signing/signer.ts';
import { attestationLayer } from '#storage/attestation-manifest.ts';
import { bundleLayer } from '#storage/bundle-manifest.ts';
import type { Attestor } from '#verification/attestor.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type SigningConfigGround, startSigningConfig } from '../../support/signing-config.ts';

const TYPE = 'https://example.test/predicate';
const SUBJECT = `sha256:${'a'.repeat(64)}` as const;
const HOUR = 60 * 60_000;

let config: SigningConfigGround;
before(async () => {
  config = await startSigningConfig();
});
after(() => config[Symbol.asyncDispose]());

async function signed(signer: ConfiguredSigner): Promise<SignedStatement> {
  const subject = [{ name: 'app', digest: { sha256: 'a'.repeat(64) } }];
  const payload = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType: TYPE, predicate: {} };
  return signStatement(signer, Buffer.from(JSON.stringify(payload)), TYPE, { layouts: ['cosign-tag', 'bundle'] });
}

function stored(statement: SignedStatement, layout: EvidenceLayout): RawEvidence {
  const created = new Date(0);
  const { descriptor, bytes } =
    layout === 'bundle'
      ? bundleLayer(statement, created)
      : { descriptor: attestationLayer(statement), bytes: statement.envelope };
  const location = { registry: 'registry.test', repository: 'app', digest: SUBJECT };
  return { location, layout, manifestDigest: sha256('manifest'), descriptor, bytes };
}

function heldAs(raw: RawEvidence, attestor: Attestor) {
  const { held } = verifyEvidence(raw, { digest: SUBJECT, attestor, now: config.ground.clock.now() });
  return held === true ? 'held' : held.code;
}

test('what a signer of the configuration signs holds under its own trust when its certificate has ended', async () => {
  const signers = await config.load({ signers: [config.keyless(), config.x509()] });
  for (const id of ['pipeline', 'release']) {
    const { signer, trust } = signers.get(id) ?? assert.fail(id);
    assert.ok(trust);
    const statement = await signed(signer);
    config.ground.clock.pass(2 * HOUR);
    for (const layout of ['cosign-tag', 'bundle'] as const) {
      const raw = stored(statement, layout);
      assert.equal(heldAs(raw, trust), 'held', `${id} ${layout}`);
      assert.equal(heldAs(raw, signerAttestor(signer)), 'certificate-expired', `${id} ${layout}`);
    }
    config.ground.clock.pass(-2 * HOUR);
  }
});

test('without what its witnesses gave it does not, and neither does that of another identity', async () => {
  const { signer, trust } = (await config.load({ signers: [config.keyless()] })).get('pipeline') ?? assert.fail();
  assert.ok(trust);
  const statement = await signed(signer);
  const nothing = { rekorV1: [], rekorV2: [], signatureTimestamps: [], envelopeTimestamps: [] };
  for (const layout of ['cosign-tag', 'bundle'] as const) {
    assert.equal(heldAs(stored(statement, layout), trust), 'held');
    assert.equal(heldAs(stored({ ...statement, witnessed: nothing }, layout), trust), 'timestamp-missing');
    for (const member of ['subject', 'issuer'] as const) {
      const rule = { ...trust, identity: { [member]: { wanted: 'other', matches: () => false } } } as Attestor;
      assert.equal(heldAs(stored(statement, layout), rule), 'identity-mismatch');
    }
  }
});

test('a plain signer without witnesses that could be checked is believed by its own root', async () => {
  const [first] = config.witnesses;
  const { key: _, ...unchecked } = first;
  const signers = await config.load({ witnesses: [unchecked], signers: [config.x509({ witnesses: 'first' })] });
  assert.equal(signers.get('release')?.trust, undefined);
});
