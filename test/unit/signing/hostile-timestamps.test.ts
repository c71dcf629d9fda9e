import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { createKeySigner } from '#signing/key.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { Witness } from '#signing/witness.ts';
import { bits, integer, sequence, utf8 } from '../../support/der.ts';
import { issueFrom, makeKey, makePki } from '../../support/pki.ts';
import { startWitnesses, type WitnessGround } from '../../support/signing-ground.ts';

const HASH = 'c'.repeat(64);

let ground: WitnessGround;
before(async () => {
  ground = await startWitnesses();
});
afterEach(() => {
  ground.tsa.bend();
  ground.tsa.stamp({});
});
after(() => ground[Symbol.asyncDispose]());

const keyPem = makeKey().export({ type: 'pkcs8', format: 'pem' }).toString();

function signWith(witness: Witness) {
  const signer = createKeySigner({ id: 'release', keyPem, witnesses: [witness] });
  return signStatement(signer, Buffer.from('{"subject":[]}'), 'https://x.test/a', {
    layouts: ['cosign-tag', 'bundle'],
  });
}

describe('a timestamp is believed only when it answers this request', () => {
  const someone = issueFrom(makePki().intermediate, { subject: 'Somebody' });

  test('another nonce, none, other bytes', async () => {
    const { imprint, nonce, none } = {
      imprint: { imprint: Buffer.from(HASH, 'hex') },
      nonce: { nonce: Buffer.from('0102', 'hex') },
      none: { nonce: Buffer.alloc(0) },
    };
    for (const [spec, problem] of [
      [imprint, /over other bytes/],
      [nonce, /another nonce/],
      [none, /nonce/],
    ] as const) {
      ground.tsa.stamp(spec);
      for (const witness of [ground.known[2], ground.unknown[2]]) {
        await assert.rejects(signWith(witness), { code: 'witness-protocol', message: problem });
      }
    }
  });

  test('without certificates, with those of somebody else, and by another authority', async () => {
    ground.tsa.stamp({ embedded: [] });
    await assert.rejects(signWith(ground.unknown[2]), { code: 'witness-protocol', message: /lacks the certificate/ });
    ground.tsa.stamp({ embedded: [someone] });
    await assert.rejects(signWith(ground.unknown[2]), { code: 'witness-protocol', message: /its signer is not there/ });
    ground.tsa.stamp({ signers: [] });
    await assert.rejects(signWith(ground.unknown[2]), { code: 'witness-protocol' });
    ground.tsa.stamp({ signers: [someone], embedded: [someone] });
    await signWith(ground.unknown[2]);
    await assert.rejects(signWith(ground.known[2]), { code: 'witness-protocol', message: /does not hold/ });
  });

  test('that does not say by which certificate it was signed, or by another one', async () => {
    for (const named of [null, someone]) {
      ground.tsa.stamp({ named });
      await assert.rejects(signWith(ground.known[2]), { code: 'witness-protocol', message: /signingCertificateV2/ });
    }
  });

  test('a byte of its signature', async () => {
    ground.tsa.bend((honest) => {
      const body = Buffer.from(honest.body ?? '');
      body[body.length - 3] = (body.at(-3) ?? 0) ^ 1;
      return { ...honest, body };
    });
    await assert.rejects(signWith(ground.unknown[2]), { code: 'witness-protocol', message: /does not (hold|verify)/ });
  });

  test('a refusal, with its words and the class that its reason asks for', async () => {
    const refusal = (failure: Buffer) => sequence(sequence(integer(2), sequence(utf8('no\nsuch policy')), failure));
    const badRequest = bits(Buffer.from([0x20]), 5);
    const noTime = bits(Buffer.from([0x00, 0x02]), 1);
    for (const [failure, code] of [
      [badRequest, 'witness-refused'],
      [noTime, 'witness-unavailable'],
    ] as const) {
      ground.tsa.bend(() => ({ status: 200, body: refusal(failure) }));
      await assert.rejects(signWith(ground.known[2]), { code, message: /status 2 \(failure \d+\): no such policy/ });
    }
  });

  test('what is no response', async () => {
    for (const body of ['', '<html>', Buffer.from([0x30, 0x80]), Buffer.alloc(1000, 0x30)]) {
      ground.tsa.bend(() => ({ status: 200, body }));
      await assert.rejects(signWith(ground.known[2]), { code: 'witness-protocol', message: /no timestamp/ });
    }
  });
});
