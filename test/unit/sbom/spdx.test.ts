import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '#model/digest.ts';
import type { BomInput } from '#sbom/cyclonedx.ts';
import type { Inventory, Package } from '#sbom/inventory.ts';
import { renderSpdx } from '#sbom/spdx.ts';
import { KNOWN_SPDX_IDS } from '#sbom/spdx-licenses.ts';
import { spdxComplaints } from '../../support/spdx-schema.ts';

const digest = (hex: string): Digest => `sha256:${hex.repeat(64)}`;

function found(purl: string, more: Partial<Package> = {}): Package {
  const [, type = '', name = '', version = ''] = /^pkg:([^/]+)\/(?:.*\/)?([^@]+)@([^?]+)/.exec(purl) ?? [];
  return { purl, type, name, version, licenses: [], paths: ['x/y'], layer: digest('e'), ...more };
}

function inventory(packages: readonly Package[], more: Partial<Inventory> = {}): Inventory {
  return {
    os: { id: 'debian', idLike: [], versionId: '12', name: 'Debian GNU/Linux 12 (bookworm)' },
    packages,
    complete: true,
    gaps: [],
    layers: [{ digest: digest('e'), packages: packages.length }],
    owned: 0,
    ...more,
  };
}

const PACKAGES = [
  found('pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12', { namespace: 'debian' }),
  found('pkg:npm/%40scope/thing@2.0.0', { namespace: '@scope', name: 'thing', licenses: ['MIT'] }),
  found('pkg:npm/two@1.0.0', { licenses: ['(MIT OR Apache-2.0)'] }),
  found('pkg:npm/three@1.0.0', { licenses: ['BSD', 'MIT', 'MIT AND ISC', 'SEE LICENSE IN x'] }),
];

const IMAGE: BomInput = {
  repository: { registry: 'localhost:5000', repository: 'team/app' },
  digest: digest('a'),
  kind: 'image',
  platforms: [
    {
      digest: digest('a'),
      platform: { os: 'linux', architecture: 'amd64' },
      created: '2024-05-06T07:08:09.123456789+02:00',
      inventory: inventory(PACKAGES),
    },
  ],
  configurationDigest: 'c1',
};

const INDEX: BomInput = {
  ...IMAGE,
  digest: digest('f'),
  kind: 'index',
  platforms: [
    ...IMAGE.platforms,
    { digest: digest('b'), inventory: inventory(PACKAGES, { complete: false, gaps: ['a database was not read'] }) },
  ],
};

const EMPTY: BomInput = {
  ...IMAGE,
  platforms: [
    { digest: digest('a'), created: 'x', inventory: { packages: [], complete: true, gaps: [], layers: [], owned: 0 } },
  ],
};

describe('SPDX', () => {
  for (const [name, input] of [
    ['an image', IMAGE],
    ['an index', INDEX],
    ['an image without packages, system, platform or date', EMPTY],
  ] as const) {
    it(`of ${name} meets the schema of 2.3, and every element that is referred to is there`, () => {
      const document = renderSpdx(input);
      assert.deepEqual(spdxComplaints(document), []);
      const ids = ['SPDXRef-DOCUMENT', ...document.packages.map(({ SPDXID }) => SPDXID)];
      assert.equal(new Set(ids).size, ids.length);
      for (const id of ids) assert.match(id, /^SPDXRef-[A-Za-z0-9.-]+$/);
      const related = document.relationships.flatMap((each) => [each.spdxElementId, each.relatedSpdxElement]);
      assert.deepEqual([...new Set(related)].sort(), ids.sort());
    });
  }

  it('would not meet it with an unknown member, or without a required one', () => {
    const document = renderSpdx(IMAGE);
    assert.notDeepEqual(spdxComplaints({ ...document, unknown: 1 }), []);
    assert.notDeepEqual(spdxComplaints({ ...document, creationInfo: { creators: [] } }), []);
    const [first, ...rest] = document.packages;
    assert.notDeepEqual(spdxComplaints({ ...document, packages: [{ ...first, name: undefined }, ...rest] }), []);
  });

  it('tells licences by identifiers and expressions, and what is not listed by its text', () => {
    const { packages, hasExtractedLicensingInfos: texts = [] } = renderSpdx(IMAGE);
    const declared = new Map(packages.map(({ name, licenseDeclared }) => [name, licenseDeclared]));
    assert.equal(declared.get('libc6'), 'NOASSERTION');
    assert.equal(declared.get('@scope/thing'), 'MIT');
    assert.equal(declared.get('two'), '((MIT OR Apache-2.0))');
    assert.match(
      declared.get('three') ?? '',
      /^LicenseRef-[0-9a-f]{16} AND MIT AND \(MIT AND ISC\) AND LicenseRef-[0-9a-f]{16}$/,
    );
    assert.deepEqual(texts.map(({ extractedText }) => extractedText).sort(), ['BSD', 'SEE LICENSE IN x']);
    const all = renderSpdx({
      ...IMAGE,
      platforms: [
        { digest: digest('a'), inventory: inventory([found('pkg:npm/all@1.0.0', { licenses: [...KNOWN_SPDX_IDS] })]) },
      ],
    });
    assert.equal(all.hasExtractedLicensingInfos, undefined);
  });

  it('is the same for the same input, and another document for any other', () => {
    assert.equal(JSON.stringify(renderSpdx(IMAGE)), JSON.stringify(renderSpdx(structuredClone(IMAGE))));
    const inputs = [
      IMAGE,
      { ...IMAGE, digest: digest('d') },
      { ...IMAGE, configurationDigest: 'c2' },
      { ...IMAGE, repository: { registry: 'localhost:5000', repository: 'team/other' } },
    ];
    assert.equal(new Set(inputs.map((input) => renderSpdx(input).documentNamespace)).size, inputs.length);
  });

  it('says when the image was created in UTC, or nothing that changes', () => {
    assert.equal(renderSpdx(IMAGE).creationInfo.created, '2024-05-06T05:08:09Z');
    assert.equal(renderSpdx(EMPTY).creationInfo.created, '1970-01-01T00:00:00Z');
    assert.equal(renderSpdx(INDEX).creationInfo.created, '1970-01-01T00:00:00Z');
  });

  it('says what it does not hold, and of which platform', () => {
    assert.equal(renderSpdx(IMAGE).comment, undefined);
    assert.equal(renderSpdx(INDEX).comment, `incomplete: ${digest('b')}: a database was not read`);
  });

  it('holds the packages of each platform below that platform', () => {
    const { packages, relationships } = renderSpdx(INDEX);
    const inside = (outer: string) => relationships.filter(({ spdxElementId }) => spdxElementId === outer).length;
    assert.equal(inside('SPDXRef-Image'), 2);
    assert.equal(inside(`SPDXRef-Platform-${'a'.repeat(64)}`), 1 + PACKAGES.length);
    assert.equal(inside(`SPDXRef-Platform-${'b'.repeat(64)}`), 1 + PACKAGES.length);
    assert.equal(packages.length, 1 + 2 * (2 + PACKAGES.length));
  });
});
