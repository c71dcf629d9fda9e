import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AppError } from '#model/errors.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import { createKeySigner } from '#signing/key.ts';
import { signImage } from '#signing/sign-image.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { FixedSigner } from '#signing/signer.ts';
import type { Witness } from '#signing/witness.ts';
import { type KeyKind, makeKey } from '../../support/pki.ts';
import { startWitnesses, type WitnessGround } from '../../support/signing-ground.ts';

const TYPE = 'https://example.test/predicate';

let ground: WitnessGround;
before(async () => {
  ground = await startWitnesses();
});
after(() => ground[Symbol.asyncDispose]());

/** A signer that tells when its key is used. */
function watched(kind: KeyKind = 'p256', witnesses: readonly Witness[] = []) {
  const keyPem = makeKey(kind).export({ type: 'pkcs8', format: 'pem' }).toString();
  const real = createKeySigner({ id: 'release', keyPem, witnesses });
  const used: true[] = [];
  const signer: FixedSigner = {
    ...real,
    signer: {
      sign: (data) => {
        used.push(true);
        return real.signer.sign(data);
      },
    },
  };
  return { signer, used };
}

function statementOf(subject: unknown, predicate: unknown = {}): Buffer {
  return Buffer.from(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject, predicateType: TYPE, predicate }),
  );
}

async function refused(
  work: (signer: FixedSigner) => Promise<unknown>,
  limit: RegExp,
  ...from: Parameters<typeof watched>
) {
  const { signer, used } = watched(...from);
  const error = await work(signer).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof AppError, String(error));
  assert.equal(error.code, 'signing-limit');
  assert.match(error.message, limit);
  assert.deepEqual(used, [], 'the key was used');
}

const sign = (payload: Buffer, ...layouts: readonly EvidenceLayout[]) => {
  return (signer: FixedSigner) => signStatement(signer, payload, TYPE, { layouts });
};

describe('what is refused before anything is signed', () => {
  test('more subjects, or digests of one, than readers of bundles take', async () => {
    const subject = { name: 'app', digest: { sha256: 'a'.repeat(64) } };
    const many = (count: number) => statementOf(Array.from({ length: count }, () => subject));
    const digests = (count: number) =>
      statementOf([{ digest: Object.fromEntries(Array.from({ length: count }, (_, at) => [`hash${at}`, 'ab'])) }]);
    await refused(sign(many(1025), 'bundle'), /at most 1024 subjects, and this one has 1025/);
    await refused(sign(many(1025), 'cosign-tag', 'bundle'), /at most 1024 subjects/);
    await refused(sign(digests(33), 'bundle'), /at most 32 digests, and one here has 33/);
    for (const work of [sign(many(1024), 'bundle'), sign(digests(32), 'bundle')]) await work(watched().signer);
    for (const work of [sign(many(1025), 'cosign-tag'), sign(digests(33), 'cosign-tag')]) await work(watched().signer);
  });

  test('a request that is larger than its log takes', async () => {
    const large = statementOf([], { text: 'x'.repeat(800_000) });
    const [rekor1, rekor2] = ground.known;
    await refused(sign(large, 'cosign-tag'), /witness rekor-1: it takes requests of 1048576 bytes/, 'p256', [rekor1]);
    // A log of version 2 sees a hash.
    await sign(large, 'bundle')(watched('p256', [rekor2]).signer);
  });

  test('a payload that no reader would read', async () => {
    const huge = Buffer.alloc(101 * 1024 * 1024, 0x20);
    await refused(sign(huge, 'cosign-tag'), /more than the 134217728 that verifiers read/);
  });

  test('keys that a log knows by another hash, or not at all', async () => {
    const [rekor1, rekor2, tsa] = ground.known;
    const payload = statementOf([]);
    const claim = { repository: 'registry.test/app', digest: `sha256:${'b'.repeat(64)}` } as const;
    for (const [kind, name] of [
      ['ed25519', 'Ed25519'],
      ['p384', 'ECDSA P-384'],
      ['p521', 'ECDSA P-521'],
    ] as const) {
      const limit = new RegExp(`Rekor takes no ${name} signature over SHA-256 in a hashedrekord`);
      await refused(sign(payload, 'bundle'), limit, kind, [rekor2]);
      await refused((signer) => signImage(signer, claim), limit, kind, [rekor1]);
      // Not asked for the legacy layout, it refuses nothing there; the first version takes the envelope itself.
      await sign(payload, 'cosign-tag')(watched(kind, [rekor2, tsa]).signer);
      await sign(statementOf([], { kind }), 'cosign-tag', 'bundle')(watched(kind, [rekor1, tsa]).signer);
    }
    for (const kind of ['p256', 'rsa2048', 'rsa3072'] as const) {
      await sign(statementOf([], { kind }), 'cosign-tag', 'bundle')(watched(kind, ground.known).signer);
    }
  });

  test('keys whose signatures nobody takes', async () => {
    await refused(sign(statementOf([]), 'cosign-tag'), /RSA from 2048 bits, and this key has 1024/, 'rsa1024');
    await refused(sign(statementOf([]), 'bundle'), /do not take ECDSA P-224/, 'p224');
  });
});
