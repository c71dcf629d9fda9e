import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Digest } from '#model/digest.ts';
import { type BomInput, renderCycloneDx } from '#sbom/cyclonedx.ts';
import type { Inventory, Package } from '#sbom/inventory.ts';
import { KNOWN_SPDX_IDS } from '#sbom/spdx-licenses.ts';
import { strictCycloneDx } from '../../support/cyclonedx-schema.ts';

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
  found('pkg:npm/%40scope/thing@2.0.0', {
    namespace: '@scope',
    name: 'thing',
    licenses: ['MIT'],
    paths: ['b/package.json', 'c/package.json'],
  }),
  found('pkg:npm/two@1.0.0', { licenses: ['(MIT OR Apache-2.0)'] }),
  found('pkg:npm/three@1.0.0', { licenses: ['BSD', 'MIT', 'MIT AND ISC', 'SEE LICENSE IN x'] }),
  found('pkg:npm/four@1.0.0', { licenses: ['MIT OR'] }),
];

const IMAGE: BomInput = {
  repository: { registry: 'localhost:5000', repository: 'team/app' },
  digest: digest('a'),
  kind: 'image',
  platforms: [
    {
      digest: digest('a'),
      platform: { os: 'linux', architecture: 'amd64' },
      created: '2024-05-06T07:08:09.123456789Z',
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
    { digest: digest('b'), inventory: inventory(PACKAGES, { complete: false, gaps: ['something\nwas not read'] }) },
  ],
};

describe('CycloneDX', () => {
  let complaints: (document: unknown) => readonly string[];

  before(async () => {
    complaints = await strictCycloneDx();
  });

  for (const [name, input] of [
    ['an image', IMAGE],
    ['an index', INDEX],
    ['an image without packages, system or platform', emptyImage()],
    [
      'an image whose created is no date',
      { ...IMAGE, platforms: IMAGE.platforms.map((p) => ({ ...p, created: 'x' })) },
    ],
  ] as const) {
    it(`of ${name} meets the strict schema of 1.6`, () => {
      assert.deepEqual(complaints(renderCycloneDx(input)), []);
    });
  }

  it('uses licence identifiers that the schema lists', () => {
    const packages = [found('pkg:npm/all@1.0.0', { licenses: [...KNOWN_SPDX_IDS] })];
    const platforms = [{ digest: digest('a'), inventory: inventory(packages) }];
    assert.deepEqual(complaints(renderCycloneDx({ ...IMAGE, platforms })), []);
  });

  it('would not meet it with an unknown member, licence or reference', () => {
    const bom = renderCycloneDx(IMAGE);
    assert.notDeepEqual(complaints({ ...bom, unknown: 1 }), []);
    assert.notDeepEqual(complaints({ ...bom, components: [{ type: 'library' }] }), []);
    const licenses = [{ license: { id: 'No-Such-License' } }];
    assert.notDeepEqual(complaints({ ...bom, components: [{ type: 'library', name: 'x', licenses }] }), []);
  });

  it('is the same for the same input, and has another serial number for any other', () => {
    assert.equal(JSON.stringify(renderCycloneDx(IMAGE)), JSON.stringify(renderCycloneDx(structuredClone(IMAGE))));
    const serials = [
      IMAGE,
      { ...IMAGE, digest: digest('d') },
      { ...IMAGE, configurationDigest: 'c2' },
      { ...IMAGE, repository: { registry: 'localhost:5000', repository: 'team/other' } },
    ].map((input) => renderCycloneDx(input).serialNumber);
    assert.equal(new Set(serials).size, 4);
    for (const serial of serials) assert.match(serial, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab]/);
  });

  it('takes its time from the image, or has none', () => {
    assert.equal(renderCycloneDx(IMAGE).metadata.timestamp, '2024-05-06T07:08:09.123456789Z');
    assert.equal(renderCycloneDx(INDEX).metadata.timestamp, undefined);
    for (const created of ['yesterday', '2024-13-45T00:00:00Z', '']) {
      const platforms = IMAGE.platforms.map((platform) => ({ ...platform, created }));
      assert.equal(renderCycloneDx({ ...IMAGE, platforms }).metadata.timestamp, undefined);
    }
  });

  it('names the image by package URL with its digest and repository, and the tool', () => {
    const { component, tools } = renderCycloneDx(IMAGE).metadata;
    assert.equal(component.purl, `pkg:oci/app@${digest('a')}?arch=amd64&repository_url=localhost%3A5000%2Fteam%2Fapp`);
    assert.equal(component.name, 'localhost:5000/team/app');
    assert.deepEqual(component.hashes, [{ alg: 'SHA-256', content: 'a'.repeat(64) }]);
    assert.deepEqual(
      tools.components.map((tool) => 'name' in tool && tool.name),
      ['attestry'],
    );
  });

  it('lists the system and the packages, with layer, places and licences', () => {
    const { components, dependencies, metadata } = renderCycloneDx(IMAGE);
    assert.deepEqual(
      components.map(({ type, group, name, version }) => [type, group, name, version]),
      [
        ['operating-system', undefined, 'debian', '12'],
        ['library', undefined, 'libc6', '2.36-9'],
        ['library', '@scope', 'thing', '2.0.0'],
        ['library', undefined, 'two', '1.0.0'],
        ['library', undefined, 'three', '1.0.0'],
        ['library', undefined, 'four', '1.0.0'],
      ],
    );
    assert.deepEqual(components[2]?.evidence, {
      occurrences: [{ location: 'b/package.json' }, { location: 'c/package.json' }],
    });
    assert.deepEqual(components[2]?.properties, [{ name: 'attestry:layer:digest', value: digest('e') }]);
    assert.deepEqual(
      components.slice(1).map(({ licenses }) => licenses),
      [
        undefined,
        [{ license: { id: 'MIT' } }],
        [{ expression: '(MIT OR Apache-2.0)' }],
        [
          { license: { name: 'BSD' } },
          { license: { id: 'MIT' } },
          { license: { name: 'MIT AND ISC' } },
          { license: { name: 'SEE LICENSE IN x' } },
        ],
        [{ license: { name: 'MIT OR' } }],
      ],
    );
    const root = dependencies.find(({ ref }) => ref === metadata.component['bom-ref']);
    assert.equal(root?.dependsOn?.length, components.length);
  });

  it('holds the platforms of an index, each with its packages, under references of their own', () => {
    const { components } = renderCycloneDx(INDEX);
    assert.deepEqual(
      components.map(({ type, version, components: inside }) => [type, version, inside?.length]),
      [
        ['container', digest('a'), 6],
        ['container', digest('b'), 6],
      ],
    );
    const refs = components.flatMap((platform) => [platform, ...(platform.components ?? [])]).map((c) => c['bom-ref']);
    assert.equal(new Set(refs).size, refs.length);
  });

  it('says what is complete, and what is missing where it is not', () => {
    assert.deepEqual(
      renderCycloneDx(IMAGE).compositions.map(({ aggregate }) => aggregate),
      ['complete'],
    );
    const { compositions, metadata, components } = renderCycloneDx(INDEX);
    assert.deepEqual(compositions, [
      { aggregate: 'incomplete', assemblies: [metadata.component['bom-ref']] },
      { aggregate: 'complete', assemblies: [components[0]?.['bom-ref']] },
      { aggregate: 'incomplete', assemblies: [components[1]?.['bom-ref']] },
    ]);
    assert.deepEqual(metadata.properties, [{ name: 'attestry:gap', value: `${digest('b')}: something\nwas not read` }]);
  });
});

function emptyImage(): BomInput {
  const empty: Inventory = { packages: [], complete: true, gaps: [], layers: [], owned: 0 };
  return { ...IMAGE, platforms: [{ digest: digest('a'), inventory: empty }] };
}
