import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import { createKeySigner } from '#signing/key.ts';
import { signImage } from '#signing/sign-image.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { Witness } from '#signing/witness.ts';
import { type Bend, edited } from '../../support/http-server.ts';
import { makeKey } from '../../support/pki.ts';
import { startWitnesses, type WitnessGround } from '../../support/signing-ground.ts';

const IMAGE = { repository: 'registry.test/team/app', digest: `sha256:${'b'.repeat(64)}` } as const;
const HASH = 'c'.repeat(64);
const HASH64 = Buffer.from(HASH, 'hex').toString('base64');

let ground: WitnessGround;
before(async () => {
  ground = await startWitnesses();
});
afterEach(() => {
  for (const server of [ground.rekor1, ground.rekor2]) server.bend();
});
after(() => ground[Symbol.asyncDispose]());

const keyPem = makeKey().export({ type: 'pkcs8', format: 'pem' }).toString();
const signerWith = (witness: Witness) => createKeySigner({ id: 'release', keyPem, witnesses: [witness] });

function signWith(witness: Witness) {
  const subject = [{ name: 'app', digest: { sha256: 'a'.repeat(64) } }];
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: 'https://x.test/a',
    predicate: {},
  };
  const layouts = ['cosign-tag', 'bundle'] as const;
  return signStatement(signerWith(witness), Buffer.from(JSON.stringify(statement)), 'https://x.test/a', { layouts });
}

/** JSON with one member replaced; `undefined` takes it out. A member named `…!` is JSON in base64. */
function withMember(value: unknown, [name = '', ...rest]: readonly string[], next: unknown): unknown {
  if (typeof value !== 'object' || value === null) return assert.fail(`nothing at ${name}`);
  const isEncoded = name.endsWith('!');
  const key = name === '*' ? (Object.keys(value)[0] ?? '') : name.replace(/!$/, '');
  const inner: unknown = Reflect.get(value, key);
  assert.ok(inner !== undefined, `nothing at ${name}`);
  const decoded: unknown = isEncoded ? JSON.parse(Buffer.from(String(inner), 'base64').toString()) : inner;
  const changed = rest.length === 0 ? next : withMember(decoded, rest, next);
  const stored = isEncoded ? Buffer.from(JSON.stringify(changed)).toString('base64') : changed;
  return Array.isArray(value) ? value.with(Number(key), stored) : { ...value, [key]: stored };
}

function bendAt(path: string, next: unknown): Bend {
  return (honest) => edited(honest, (value) => withMember(value, path.split('/'), next));
}

const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
const otherVerifier = Buffer.from(otherKey.toString()).toString('base64');

/** Of an entry of Rekor v1: what is changed, and whether that shows without the key of the log. */
const V1: readonly (readonly [string, unknown, RegExp, 'always' | 'by key'])[] = [
  ['*/body!/kind', 'intoto', /not of kind dsse/, 'always'],
  ['*/body!/apiVersion', '0.0.2', /not of kind dsse/, 'always'],
  ['*/body!/spec/envelopeHash/value', HASH, /other bytes/, 'always'],
  ['*/body!/spec/payloadHash/value', HASH, /other bytes/, 'always'],
  ['*/body!/spec/signatures', [], /not of kind dsse/, 'always'],
  ['*/body!/spec/signatures/0/signature', 'AAAA', /another signature/, 'always'],
  ['*/body!/spec/signatures/0/verifier', otherVerifier, /another signer/, 'always'],
  ['*/body!/spec/signatures/0/verifier', 'bm9uZQ==', /another signer/, 'always'],
  ['*/body', 'bm8ganNvbg==', /not of kind dsse/, 'always'],
  ['*/body', 'not base64', /not one log entry/, 'always'],
  ['*/integratedTime', 1, /SET/, 'by key'],
  ['*/integratedTime', -1, /not one log entry/, 'always'],
  ['*/logIndex', 7, /SET/, 'by key'],
  ['*/logIndex', 1.5, /not one log entry/, 'always'],
  ['*/logID', HASH, /of the log/, 'by key'],
  ['*/verification/signedEntryTimestamp', 'AAAA', /SET/, 'by key'],
  ['*/verification/inclusionProof', null, /not one log entry/, 'always'],
  ['*/verification/inclusionProof/rootHash', HASH, /does not lead to its root/, 'always'],
  ['*/verification/inclusionProof/logIndex', 10_000, /does not lead to its root/, 'always'],
  ['*/verification/inclusionProof/hashes', [HASH], /does not lead to its root/, 'always'],
  ['*/verification/inclusionProof/hashes', Array(65).fill(HASH), /not one log entry/, 'always'],
  ['*/verification/inclusionProof/treeSize', 12_345, /does not lead|another tree/, 'always'],
  ['*/verification/inclusionProof/checkpoint', 'none', /cannot be read/, 'always'],
];

describe('Rekor v1: an answer is believed only when everything in it holds', () => {
  for (const [path, next, problem, when] of V1) {
    test(`${path} = ${JSON.stringify(next)?.slice(0, 20)}`, async () => {
      ground.rekor1.bend(bendAt(path, next));
      await assert.rejects(signWith(ground.known[0]), { code: 'witness-protocol', message: problem });
      if (when === 'always') await assert.rejects(signWith(ground.unknown[0]), { code: 'witness-protocol' });
    });
  }

  test('the checkpoint of another log, of another tree, and of nobody', async () => {
    const member = '*/verification/inclusionProof/checkpoint';
    const other = await startWitnesses();
    await using _ = other;
    await signWith(other.known[0]);
    let stolen = '';
    ground.rekor1.bend((honest) =>
      edited(honest, (value) => {
        const { envelope } = proofOf(value);
        stolen = envelope;
        return value;
      }),
    );
    await signWith(ground.known[0]);
    const unsigned = stolen.replace(/\n\u2014[\s\S]*$/, '\n');
    const resigned = stolen.replace(/(\u2014 \S+ ).{20}/, '$1AAAAAAAAAAAAAAAAAAAA');
    for (const [envelope, problem] of [
      [stolen, /another tree/],
      [unsigned, /cannot be read/],
    ] as const) {
      ground.rekor1.bend(bendAt(member, envelope));
      await assert.rejects(signWith(ground.known[0]), { code: 'witness-protocol', message: problem });
    }
    assert.notEqual(resigned, stolen);
    ground.rekor1.bend((honest) =>
      edited(honest, (value) => {
        const { envelope } = proofOf(value);
        return withMember(value, member.split('/'), envelope.replace(/(\u2014 \S+ ).{20}/, '$1AAAAAAAAAAAAAAAAAAAA'));
      }),
    );
    await assert.rejects(signWith(ground.known[0]), { code: 'witness-protocol', message: /signature of the log/ });
  });

  test('two entries, none, a list, and no JSON', async () => {
    for (const body of ['{}', '[]', '{', '"text"', 'null', '<html>', `${'['.repeat(100_000)}`]) {
      ground.rekor1.bend(() => ({ status: 201, body }));
      await assert.rejects(signWith(ground.known[0]), { code: 'witness-protocol', message: /not one log entry/ });
    }
    ground.rekor1.bend((honest) => edited(honest, (value: object) => ({ ...value, other: Object.values(value)[0] })));
    await assert.rejects(signWith(ground.known[0]), { code: 'witness-protocol', message: /not one log entry/ });
  });

  test('image signatures: another kind, payload, signature or signer', async () => {
    const spec = '*/body!/spec';
    for (const [path, next, problem] of [
      ['*/body!/kind', 'rekord', /not of kind hashedrekord/],
      [`${spec}/data/hash/value`, HASH, /other bytes/],
      [`${spec}/signature/content`, 'AAAA', /another signature/],
      [`${spec}/signature/publicKey/content`, otherVerifier, /another signer/],
    ] as const) {
      ground.rekor1.bend(bendAt(path, next));
      const signed = signImage(signerWith(ground.unknown[0]), IMAGE);
      await assert.rejects(signed, { code: 'witness-protocol', message: problem });
    }
  });
});

const BODY = 'canonicalizedBody!/spec/hashedRekordV002';

const V2: readonly (readonly [string, unknown, RegExp])[] = [
  ['kindVersion/kind', 'dsse', /not an entry of kind/],
  ['kindVersion/version', '0.0.1', /not an entry of kind/],
  ['logId', null, /not an entry of kind/],
  ['inclusionProof', null, /not an entry of kind/],
  ['canonicalizedBody!/kind', 'dsse', /cannot be read/],
  ['canonicalizedBody', 'bm8ganNvbg==', /cannot be read/],
  [`${BODY}/data/digest`, HASH64, /other bytes/],
  [`${BODY}/data/algorithm`, 'SHA2_512', /cannot be read/],
  [`${BODY}/signature/content`, 'AAAA', /another signature/],
  [`${BODY}/signature/verifier/publicKey/rawBytes`, HASH64, /another signer/],
  [`${BODY}/signature/verifier/keyDetails`, 'PKIX_ED25519', /another signer/],
  ['inclusionProof/rootHash', HASH64, /does not lead to its root/],
  ['inclusionProof/logIndex', '12345', /does not lead to its root/],
  ['inclusionProof/hashes', [HASH64], /does not lead to its root/],
  ['inclusionProof/hashes', ['AAAA'], /does not lead to its root/],
  ['inclusionProof/checkpoint/envelope', 'none', /cannot be read/],
];

describe('Rekor v2: an answer is believed only when everything in it holds', () => {
  for (const [path, next, problem] of V2) {
    test(`${path} = ${JSON.stringify(next)?.slice(0, 20)}`, async () => {
      ground.rekor2.bend(bendAt(path, next));
      for (const witness of [ground.known[1], ground.unknown[1]]) {
        await assert.rejects(signWith(witness), { code: 'witness-protocol', message: problem });
      }
    });
  }

  test('a checkpoint that the log did not sign, and one under another name', async () => {
    const path = ['inclusionProof', 'checkpoint', 'envelope'];
    for (const [from, to, problem] of [
      [/.{12}\n$/, 'AAAAAAAAAAA=\n', /did not sign|cannot be read/],
      [/^127\.0\.0\.1/, 'elsewhere.test', /not of 127\.0\.0\.1/],
    ] as const) {
      ground.rekor2.bend((honest) =>
        edited(honest, (value) => {
          const { envelope } = proofOf({ only: { verification: value } });
          assert.match(envelope, from);
          return withMember(value, path, envelope.replace(from, to));
        }),
      );
      await assert.rejects(signWith(ground.known[1]), { code: 'witness-protocol', message: problem });
    }
  });
});

/** The checkpoint of an answer of Rekor v1, or of version 2 in its clothes. */
function proofOf(value: object): { readonly envelope: string } {
  const [entry] = Object.values(value);
  const { checkpoint } = entry.verification.inclusionProof;
  return typeof checkpoint === 'string' ? { envelope: checkpoint } : checkpoint;
}
