import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RuleOptions } from '#engine/options.ts';

/** A rule with one entry of evidence, parsed; or the complaints, each with its place. */
function parsed(entry: object, more: object = {}) {
  const result = RuleOptions.safeParse({ name: 'all', evidence: [{ signer: 'ca', ...entry }], ...more });
  if (result.success) return result.data;
  return result.error.issues.map((issue) => {
    const mend = 'params' in issue ? (issue.params as { mend?: string } | undefined)?.mend : undefined;
    return `${issue.path.join('.')}: ${issue.message}${mend === undefined ? '' : ` (${mend})`}`;
  });
}

function entryOf(entry: object) {
  const rule = parsed(entry);
  assert.ok('evidence' in rule, JSON.stringify(rule));
  return rule.evidence[0];
}

function complaint(entry: object, more: object = {}): string {
  const found = parsed(entry, more);
  assert.ok(Array.isArray(found), 'it was taken');
  return found.join('\n');
}

describe('types of evidence in a rule', () => {
  for (const [type, predicateType, platforms] of [
    ['cyclonedx', 'https://cyclonedx.org/bom', true],
    ['spdxjson', 'https://spdx.dev/Document', true],
    ['slsaprovenance1', 'https://slsa.dev/provenance/v1', false],
    ['vsa', 'https://slsa.dev/verification_summary/v1', false],
    ['vuln', 'https://cosign.sigstore.dev/attestation/vuln/v1', false],
    ['vulns', 'https://in-toto.io/attestation/vulns/v0.1', false],
    ['test-result', 'https://in-toto.io/attestation/test-result/v0.1', false],
    ['openvex', 'https://openvex.dev/ns', false],
    ['link', 'https://in-toto.io/Link/v1', false],
    ['custom', 'https://cosign.sigstore.dev/attestation/v1', false],
  ] as const) {
    it(`${type} is ${predicateType}`, () => {
      const entry = entryOf({ type });
      assert.deepEqual([entry?.type, entry?.predicateType, entry?.platforms], [type, predicateType, platforms]);
    });
  }

  it('a URI is a type that is handed in, called by its family', () => {
    for (const [uri, type] of [
      ['https://openvex.dev/ns/v0.2.0', 'openvex'],
      ['https://in-toto.io/attestation/vulns/v0.2', 'vulns'],
      ['http://docs.oasis-open.org/sarif/sarif/2.1.0', 'custom'],
    ] as const) {
      const entry = entryOf({ type: uri });
      assert.deepEqual([entry?.type, entry?.predicateType], [type, uri]);
    }
  });

  for (const [what, entry, message] of [
    ['a misspelt name', { type: 'cyclonedxx' }, /"cyclonedxx" is no type.*write one of cyclonedx/],
    ['the text form of SPDX', { type: 'spdx' }, /spdxjson/],
    ['provenance by another name', { type: 'slsaprovenance' }, /slsaprovenance1, with import/],
    ['provenance by its URI', { type: 'https://slsa.dev/provenance/v1' }, /provenance cannot be handed in/],
    ['a summary by its URI', { type: 'https://slsa.dev/verification_summary/v1' }, /write vsa/],
    ['a signature of the image', { type: 'https://sigstore.dev/cosign/sign/v1' }, /signature of the image/],
    [
      'provenance behind another name',
      { type: 'custom', predicateType: 'https://slsa.dev/provenance/v1' },
      /provenance cannot be handed in/,
    ],
    [
      'two types at once',
      { type: 'https://a.example/b', predicateType: 'https://a.example/c' },
      /predicateType: type is a predicateType already/,
    ],
    [
      'imports of an SBOM',
      { type: 'cyclonedx', import: { from: 'buildkit', signer: 'other' } },
      /import is for slsaprovenance1 only/,
    ],
    ['replace of what is made', { type: 'cyclonedx', replace: false }, /replace is for what is handed in only/],
    ['platforms of what is handed in', { type: 'openvex', platforms: true }, /platforms is for what is made/],
    ['levels without a summary', { type: 'cyclonedx', verifiedLevels: 'A' }, /verifiedLevels is for vsa only/],
    ['a level of SLSA', { type: 'vsa', verifiedLevels: 'SLSA_BUILD_LEVEL_3' }, /not ours to give/],
    [
      'one signer for both',
      { type: 'slsaprovenance1', import: { from: 'buildkit', signer: 'ca' } },
      /name another signer/,
    ],
    ['GitHub without a trust', { type: 'slsaprovenance1', import: { from: 'github', signer: 'b' } }, /import/],
    [
      'BuildKit with a trust',
      { type: 'slsaprovenance1', import: { from: 'buildkit', signer: 'b', trust: 't' } },
      /import/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.match(complaint(entry), message);
    });
  }

  it('takes over from several places, and asks for a builder', () => {
    const imports = [
      { from: 'github', signer: 'lifted', trust: 'github' },
      { from: 'buildkit', signer: 'lifted' },
    ];
    assert.deepEqual(entryOf({ type: 'slsaprovenance1', import: imports })?.import, imports);
    const rule = parsed(
      { type: 'cyclonedx' },
      { when: { builder: { trust: 'ci', builderId: 'https://ci.example.com/**' } } },
    );
    assert.ok('when' in rule);
    assert.deepEqual(rule.when?.builder, { trust: 'ci', builderId: ['https://ci.example.com/**'], wait: 600_000 });
    assert.match(complaint({ type: 'cyclonedx' }, { when: { builder: { trust: 'ci' } } }), /builderId/);
    assert.match(
      complaint({ type: 'cyclonedx' }, { when: { builder: { trust: 'c', builderId: 'b', wait: '2h' } } }),
      /wait/,
    );
  });
});
