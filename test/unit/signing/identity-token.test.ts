import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { KeylessSigner } from '#signing/signer.ts';
import { type KeylessGround, startKeyless, WORKER } from '../../support/keyless-ground.ts';

let ground: KeylessGround;
before(async () => {
  ground = await startKeyless();
});
after(() => ground[Symbol.asyncDispose]());

function sign(signer: KeylessSigner) {
  return signStatement(signer, Buffer.from('{}'), 'https://example.test/predicate', { layouts: ['cosign-tag'] });
}

describe('what a token must be', () => {
  const rejected = async (spec: Parameters<KeylessGround['provider']>[0], code: string, message: RegExp) => {
    const asked = ground.fulcio.requests.length;
    const error = await sign(ground.signer({ provider: ground.provider(spec) })).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.equal(ground.fulcio.requests.length, asked, 'it was sent to nobody');
  };
  const seconds = (shift: number) => Math.floor(ground.clock.now().getTime() / 1000) + shift;

  test('a token at all', async () => {
    for (const text of ['', 'a.b.c', 'no token', 'eyJ.eyJ', `${'x'.repeat(70_000)}.a.b`, 'a.bnVsbA.c', 'a.MQ.c']) {
      await rejected(() => text, 'identity-token-malformed', /the test gave/);
    }
    for (const claims of [{ iss: 7 }, { sub: '' }, { exp: 'soon' }, { exp: 1e300 }, { aud: {} }, { nbf: 'x' }]) {
      await rejected({ claims }, 'identity-token-malformed', /without a sound iss, sub or exp/);
    }
  });

  test('for our audience', async () => {
    await rejected({ audience: 'https://kubernetes.default.svc' }, 'identity-token-malformed', /audience "sigstore"/);
    await rejected({ claims: { aud: undefined } }, 'identity-token-malformed', /audience "sigstore"/);
    const provider = ground.provider({ email: WORKER, claims: { aud: ['other', 'sigstore'] } });
    await assert.rejects(sign(ground.signer({ provider })), { code: 'ca-refused' });
  });

  test('good now', async () => {
    await rejected({ claims: { exp: seconds(-1) } }, 'identity-token-expired', /ended at 2026/);
    await rejected({ claims: { nbf: seconds(120) } }, 'clock-skew', /this machine says 2026/);
    await rejected({ claims: { iat: seconds(120) } }, 'clock-skew', /this machine says 2026/);
    await sign(ground.signer({ provider: ground.provider({ email: WORKER, claims: { iat: seconds(30) } }) }));
  });

  test('of the holder that the signer names', async () => {
    await rejected({ email: 'other@attestry.test' }, 'identity-mismatch', /"other@attestry\.test"/);
    await rejected({ subject: 'worker' }, 'identity-mismatch', /no verified e-mail/);
    await rejected({ claims: { email: WORKER, email_verified: false } }, 'identity-mismatch', /no verified e-mail/);
    const provider = ground.provider({ claims: { email: WORKER, email_verified: 'true' } });
    await sign(ground.signer({ provider }));
  });
});
