import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkStatement, MAX_STATEMENT_BYTES, predicateStatement } from '#engine/handed-in.ts';
import { type Digest, digestHex, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { GIVEN, TEST_RESULT_SAMPLE } from '../../support/given-predicates.ts';

const DIGEST = sha256('an image');
const ABOUT = { registry: 'registry.test', repository: 'team/app', digest: DIGEST };
const TYPE = 'https://in-toto.io/attestation/test-result/v0.1';

function bytes(value: unknown): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}
const subject = (digest: Digest, more: object = {}) => ({
  name: 'app',
  digest: { sha256: digestHex(digest) },
  ...more,
});

function statement(more: object = {}): Record<string, unknown> {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [subject(DIGEST)],
    predicateType: TYPE,
    predicate: TEST_RESULT_SAMPLE,
    ...more,
  };
}

function refusal(work: () => unknown): AppError {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'statement-refused') return error;
    throw error;
  }
  throw new Error('it was taken');
}

describe('a predicate', () => {
  for (const { name, predicateType, predicate } of GIVEN) {
    it(`of ${name} becomes a statement about this image that the strict reader takes`, () => {
      const made = predicateStatement(ABOUT, predicateType, bytes(predicate));
      assert.equal(made.predicateType, predicateType);
      assert.deepEqual(checkStatement(ABOUT, made.payload).payload, made.payload);
      assert.deepEqual(JSON.parse(Buffer.from(made.payload).toString()), {
        _type: 'https://in-toto.io/Statement/v1',
        subject: [{ name: 'registry.test/team/app', digest: { sha256: digestHex(DIGEST) } }],
        predicateType,
        predicate,
      });
    });
  }

  for (const [what, text, message] of [
    ['no JSON', 'SPDXVersion: SPDX-2.3', /not JSON/],
    ['a member twice', '{"a":1,"a":2}', /"a" occurs twice/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
    ['a lone surrogate', '{"a":"\\ud800"}', /lone surrogate/],
    ['a list', '[]', /not a JSON object/],
    ['an integer that readers round', '{"a":9007199254740993}', /2\^53/],
    ['a depth that readers refuse', `${'{"a":'.repeat(200)}1${'}'.repeat(200)}`, /levels deep/],
  ] as const) {
    it(`that is ${what} is refused`, () => {
      const error = refusal(() => predicateStatement(ABOUT, 'https://example.com/any/v1', bytes(text)));
      assert.match(error.message, message);
      assert.ok(error.field && error.mend);
    });
  }

  it('beyond the size that verifiers read is refused before it is parsed', () => {
    const large = Buffer.alloc(MAX_STATEMENT_BYTES + 1, 0x20);
    assert.match(refusal(() => predicateStatement(ABOUT, TYPE, large)).message, /limit/);
  });
});

describe('a whole statement', () => {
  it('is taken as it is, byte for byte, of either version of the specification', () => {
    for (const _type of ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']) {
      const given = bytes(` ${JSON.stringify(statement({ _type }), null, 3)}\n`);
      const { payload, predicateType } = checkStatement(ABOUT, given);
      assert.deepEqual(Buffer.from(payload), given);
      assert.equal(predicateType, TYPE);
    }
  });

  const other = sha256('another image');
  for (const [what, given, field] of [
    ['about another image', statement({ subject: [subject(other)] }), /^statement\.subject$/],
    ['about another image too', statement({ subject: [subject(DIGEST), subject(other)] }), /^statement\.subject\[1\]$/],
    ['about a subject without digest too', statement({ subject: [subject(DIGEST), { name: 'x' }] }), /\[1\]$/],
    ['about nothing', statement({ subject: [] }), /^statement\.subject$/],
    [
      'with a digest that is not hex',
      statement({ subject: [{ digest: { sha256: digestHex(DIGEST), gitTag: 'v1' } }] }),
      /gitTag$/,
    ],
    [
      'with the digest in upper case',
      statement({ subject: [{ digest: { sha256: digestHex(DIGEST).toUpperCase() } }] }),
      /subject/,
    ],
    ['with an unknown member', statement({ extra: 1 }), /^statement$/],
    ['with an unknown member in its subject', statement({ subject: [subject(DIGEST, { size: '1' })] }), /^statement$/],
    ['with a text for a predicate', statement({ predicate: 'text' }), /^predicate$/],
    ['without a predicate', statement({ predicate: undefined }), /^statement$/],
    ['with a predicate of another form', statement({ predicate: { result: 'PASSED' } }), /^predicate\.configuration$/],
    ['of another version', statement({ _type: 'https://in-toto.io/Statement/v2' }), /^statement$/],
    ['with a member twice', JSON.stringify(statement()).replace('"subject"', '"subject":[],"subject"'), /^statement$/],
    [
      'with an integer that readers round',
      JSON.stringify(statement()).replace('"passedTests"', '"n":9007199254740993,"passedTests"'),
      /predicate\.n$/,
    ],
  ] as const) {
    it(`${what} is refused, naming the member`, () => {
      const error = refusal(() => checkStatement(ABOUT, bytes(given)));
      assert.match(error.field ?? '', field);
      assert.ok(error.mend);
    });
  }

  it('that the image itself is signed is refused, whole or as a predicate, with the way to sign it', () => {
    const type = 'https://sigstore.dev/cosign/sign/v1';
    for (const error of [
      refusal(() => checkStatement(ABOUT, bytes(statement({ predicateType: type, predicate: {} })))),
      refusal(() => predicateStatement(ABOUT, type, bytes({}))),
    ]) {
      assert.equal(error.field, 'predicateType');
      assert.match(error.message, /says that the image itself is signed/);
      assert.match(error.mend ?? '', /attest IMAGE --type signature/);
    }
  });

  it('of another type than it was announced as is refused', () => {
    const error = refusal(() => checkStatement(ABOUT, bytes(statement()), 'https://openvex.dev/ns'));
    assert.equal(error.field, 'statement.predicateType');
  });
});
