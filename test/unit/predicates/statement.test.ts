import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { CYCLONEDX } from '#model/media-types.ts';
import { canonicalJson } from '#predicates/canonical-json.ts';
import { DEFAULT_BUILDER_ID, type ObserverBuilderId } from '#predicates/observer.ts';
import { isOurs, sbomStatement } from '#predicates/own-statement.ts';
import { statementBytes } from '#predicates/statement.ts';

const HEX = 'ab'.repeat(32);
const DIGEST: Digest = `sha256:${HEX}`;

function bytes(predicate: unknown, more: object = {}): Uint8Array {
  const input = { subjectName: 'registry.example/team/app', subjectDigest: DIGEST, predicateType: CYCLONEDX };
  return statementBytes({ ...input, predicate, ...more });
}

function refused(work: () => unknown, field: RegExp): void {
  assert.throws(work, (error) => error instanceof AppError && error.code === 'usage' && field.test(error.field ?? ''));
}

describe('statement', () => {
  it('holds the members of in-toto Statement v1 and no others', () => {
    const text = Buffer.from(bytes({ b: 1, a: ['x', null, true] })).toString();
    assert.equal(
      text,
      `{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":["x",null,true],"b":1},` +
        `"predicateType":"https://cyclonedx.org/bom",` +
        `"subject":[{"digest":{"sha256":"${HEX}"},"name":"registry.example/team/app"}]}`,
    );
  });

  it('is the same bytes for the same content, in whatever order it was made', () => {
    const one = bytes({ a: 1, b: { c: 'é\u2028"', d: [1.5, -0] }, e: undefined });
    const other = bytes({ b: { d: [1.5, 0], c: 'é\u2028"' }, a: 1 });
    assert.deepEqual(one, other);
    const predicate: unknown = JSON.parse(Buffer.from(one).toString()).predicate;
    assert.deepEqual(predicate, { a: 1, b: { c: 'é\u2028"', d: [1.5, 0] } });
  });

  for (const predicate of ['text', null, undefined, 7, [], true]) {
    it(`refuses the predicate ${JSON.stringify(predicate)}`, () => refused(() => bytes(predicate), /^predicate$/));
  }

  it('refuses values that readers disagree on, and names their place', () => {
    refused(() => bytes({ a: [{ n: 2 ** 53 }] }), /^\$\.predicate\.a\[0\]\.n$/);
    refused(() => bytes({ n: -(2 ** 60) }), /^\$\.predicate\.n$/);
    refused(() => bytes({ n: Number.NaN }), /n$/);
    refused(() => bytes({ n: Number.POSITIVE_INFINITY }), /n$/);
    refused(() => bytes({ n: 10n }), /n$/);
    refused(() => bytes({ s: 'a\ud800b' }), /s$/);
    refused(() => bytes({ 'k\udc00': 1 }), /k/);
    assert.ok(bytes({ n: Number.MAX_SAFE_INTEGER }));
  });

  it('refuses nesting that would exhaust a reader', () => {
    let deep: object = {};
    for (let i = 0; i < 20_000; i++) deep = { deep };
    refused(() => bytes(deep), /deep/);
  });

  it('refuses subjects that no verifier would look up, and types that are no URI', () => {
    refused(() => bytes({}, { subjectDigest: `sha512:${'a'.repeat(128)}` }), /^subject\.digest$/);
    refused(() => bytes({}, { subjectName: '' }), /^subject\.name$/);
    refused(() => bytes({}, { subjectName: `app@${DIGEST}` }), /^subject\.name$/);
    for (const predicateType of ['', 'cyclonedx', 'https://a b', ' https://x']) {
      refused(() => bytes({}, { predicateType }), /^predicateType$/);
    }
  });

  it('keeps a member called __proto__ as what it is', () => {
    assert.equal(canonicalJson(JSON.parse('{"__proto__":{"x":1}}')), '{"__proto__":{"x":1}}');
  });
});

describe('own statements', () => {
  const repository = { registry: 'registry.example', repository: 'team/app' };
  const read = (payload: Uint8Array) => JSON.parse(Buffer.from(payload).toString());

  it('are known by the tool of their SBOM', () => {
    const bom = (tools: unknown) => ({ bomFormat: 'CycloneDX', metadata: { tools } });
    const of = (tools: unknown) =>
      isOurs(read(sbomStatement({ repository, digest: DIGEST, predicateType: CYCLONEDX, bom: bom(tools) })));
    assert.equal(of({ components: [{ name: 'syft' }, { name: 'attestry' }] }), true);
    assert.equal(of({ components: [{ name: 'syft' }] }), false);
    assert.equal(of({ components: 'attestry' }), false);
    assert.equal(of([{ name: 'attestry' }]), false);
    assert.equal(of(undefined), false);
  });

  it('are known by the builder id of an observer, never by another one', () => {
    const of = (id: unknown, own?: readonly ObserverBuilderId[]) =>
      isOurs(
        {
          _type: 'https://in-toto.io/Statement/v1',
          subject: [],
          predicateType: 'https://slsa.dev/provenance/v1',
          predicate: { runDetails: { builder: { id } } },
        },
        own,
      );
    assert.equal(of('https://attestry.dev/builder/registry-observer/v1'), true);
    assert.equal(of('https://evidence.example/builder/registry-observer/v1'), true);
    assert.equal(of('https://github.com/actions/runner'), false);
    assert.equal(of('http://attestry.dev/builder/registry-observer/v1'), false);
    assert.equal(of(''), false);
    assert.equal(of(undefined), false);
    assert.equal(of(DEFAULT_BUILDER_ID, [DEFAULT_BUILDER_ID]), true);
    assert.equal(of('https://evidence.example/builder/registry-observer/v1', [DEFAULT_BUILDER_ID]), false);
  });

  it('are not found in what is no object', () => {
    for (const predicate of [undefined, null, 'attestry', 7, []]) {
      assert.equal(isOurs({ _type: 'x', subject: [], predicateType: 'x', predicate }), false);
    }
  });
});
