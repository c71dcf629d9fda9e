import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predicateProblem } from '#predicates/given-predicate.ts';
import { GIVEN, type GivenSample } from '../../support/given-predicates.ts';

/** A copy with one member set, or taken out when the value is undefined. */
function changed(predicate: object, path: readonly (string | number)[], value: unknown): object {
  const copy = structuredClone(predicate);
  const [last, ...before] = [...path].reverse();
  const holder = before.reverse().reduce<object>((at, part) => Reflect.get(at, part), copy);
  if (value === undefined) Reflect.deleteProperty(holder, last as string);
  else Reflect.set(holder, last as string, value);
  return copy;
}

describe('a predicate that was handed in', () => {
  for (const { name, predicateType, predicate } of GIVEN) {
    it(`of ${name} is taken when it has the form of its type, further members too`, () => {
      assert.equal(predicateProblem(predicateType, predicate), undefined);
      assert.equal(predicateProblem(predicateType, { ...predicate, furtherMember: [1, { a: null }] }), undefined);
    });
  }

  for (const [name, path, value, field, message] of REFUSED()) {
    it(`${name} is refused, naming ${field}`, () => {
      const { predicateType, predicate } = sample(name);
      const problem = predicateProblem(predicateType, changed(predicate, path, value));
      assert.equal(problem?.field, field);
      assert.match(problem?.message ?? '', message);
      assert.match(problem?.mend ?? '', /^see /);
    });
  }

  it('is refused when it is no object, whatever its type', () => {
    for (const predicate of ['SPDXVersion: SPDX-2.3', [], null, undefined, 1, true]) {
      assert.match(predicateProblem('https://example.com/any/v1', predicate)?.message ?? '', /not a JSON object/);
    }
    assert.equal(predicateProblem('https://example.com/any/v1', {}), undefined);
  });

  it('of a version whose form is not known is not judged by the form of another one', () => {
    assert.equal(predicateProblem('https://in-toto.io/attestation/test-result/v9', { other: true }), undefined);
    assert.equal(predicateProblem('https://openvex.dev/ns/v9.0.0', { other: true }), undefined);
  });
});

function sample(name: string): GivenSample {
  const found = GIVEN.find((each) => each.name === name);
  if (!found) throw new Error(`no sample ${name}`);
  return found;
}

function REFUSED(): readonly (readonly [string, readonly (string | number)[], unknown, string, RegExp])[] {
  return [
    ['vuln', ['scanner'], undefined, 'predicate.scanner', /missing/],
    ['vuln', ['scanner', 'uri'], '', 'predicate.scanner.uri', /empty/],
    ['vuln', ['scanner', 'result'], 'text', 'predicate.scanner.result', /not of type/],
    ['vuln', ['metadata', 'scanFinishedOn'], 'yesterday', 'predicate.metadata.scanFinishedOn', /RFC 3339/],
    ['vulns', ['scanner', 'db', 'lastUpdate'], undefined, 'predicate.scanner.db.lastUpdate', /missing/],
    ['vulns', ['scanner', 'result'], {}, 'predicate.scanner.result', /not of type array/],
    ['vulns', ['scanner', 'result', 0], { severity: [] }, 'predicate.scanner.result[0]', /none of the forms/],
    ['test-result', ['result'], 'GREEN', 'predicate.result', /PASSED, WARNED, FAILED/],
    ['test-result', ['configuration'], undefined, 'predicate.configuration', /missing/],
    [
      'test-result',
      ['configuration', 0],
      { name: 'x' },
      'predicate.configuration[0]',
      /neither uri, digest nor content/,
    ],
    ['test-result', ['failedTests'], [1], 'predicate.failedTests[0]', /not of type string/],
    ['openvex', ['@context'], 'https://example.com/vex', 'predicate.@context', /openvex\.dev/],
    ['openvex', ['statements'], [], 'predicate.statements', /empty/],
    ['openvex', ['statements', 0, 'status'], 'fine', 'predicate.statements[0].status', /not_affected, affected/],
    ['openvex', ['statements', 0, 'justification'], undefined, 'predicate.statements[0]', /neither justification nor/],
    ['openvex', ['statements', 1, 'action_statement'], undefined, 'predicate.statements[1]', /no action_statement/],
    [
      'openvex',
      ['statements', 0, 'vulnerability', 'name'],
      undefined,
      'predicate.statements[0].vulnerability',
      /none of/,
    ],
    ['openvex', ['author'], undefined, 'predicate.author', /missing/],
    ['link', ['materials'], [{ uri: 'x' }], 'predicate.materials', /not of type record/],
    ['link 0.3', ['materials'], {}, 'predicate.materials', /not of type array/],
    ['vuln', ['scanner', 'db', 'lastUpdate'], 'May', 'predicate.scanner.db.lastUpdate', /RFC 3339/],
    ['link', ['name'], undefined, 'predicate.name', /missing/],
    ['cyclonedx', ['bomFormat'], 'SPDX', 'predicate.bomFormat', /CycloneDX/],
    ['spdxjson', ['spdxVersion'], undefined, 'predicate.spdxVersion', /missing/],
    ['slsaprovenance1', ['runDetails', 'builder', 'id'], '', 'predicate.runDetails.builder.id', /empty/],
    ['slsaprovenance', ['builder', 'id'], undefined, 'predicate.builder.id', /missing/],
    ['slsaprovenance', ['buildType'], undefined, 'predicate.buildType', /missing/],
    ['slsaprovenance', ['invocation', 'configSource'], 'git', 'predicate.invocation.configSource', /not of type/],
    ['slsaprovenance', ['metadata', 'buildStartedOn'], 'today', 'predicate.metadata.buildStartedOn', /RFC 3339/],
    [
      'slsaprovenance',
      ['metadata', 'completeness', 'materials'],
      'yes',
      'predicate.metadata.completeness.materials',
      /not of type boolean/,
    ],
    ['slsaprovenance', ['materials', 0, 'digest'], 'ab', 'predicate.materials[0].digest', /not of type/],
    ['vsa', ['verificationResult'], 'OK', 'predicate.verificationResult', /PASSED, FAILED/],
    ['vsa', ['verificationResult'], 'FAILED', 'predicate', /verifiedLevels/],
    ['vsa', ['verifiedLevels'], ['FAILED'], 'predicate', /verifiedLevels/],
  ];
}
