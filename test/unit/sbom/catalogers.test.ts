import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cataloger } from '#sbom/cataloger.ts';
import { dpkg } from '#sbom/catalogers/dpkg.ts';
import { CATALOGERS } from '#sbom/catalogers/index.ts';
import { npm } from '#sbom/catalogers/npm.ts';
import { osRelease } from '#sbom/catalogers/os-release.ts';
import { python } from '#sbom/catalogers/python.ts';
import { unread } from '#sbom/catalogers/unread.ts';
import type { Fact } from '#sbom/fact.ts';

function wants(cataloger: Cataloger, path: string): boolean {
  return cataloger.wants({ path, size: 1, executable: false });
}

async function parse(cataloger: Cataloger, path: string, text: string): Promise<readonly Fact[]> {
  return cataloger.parse(path, Buffer.from(text), new Map());
}

describe('catalogers', () => {
  it('are listed once each, with bounds', () => {
    assert.equal(new Set(CATALOGERS.map(({ id }) => id)).size, CATALOGERS.length);
    for (const { maxBytes, version } of CATALOGERS) assert.ok(maxBytes > 0 && Number.isSafeInteger(version));
  });

  it('answer a gap or nothing for any rubbish, never an exception', async () => {
    const rubbish = ['', '\0\0\0', '{', 'null', '[]', '"x"', '\ufffd'.repeat(50), 'a: b\n\n\n: :\n', '[['.repeat(5000)];
    const paths = ['var/lib/dpkg/status', 'var/lib/dpkg/status.d/x.md5sums', 'var/lib/dpkg/info/x.list'];
    paths.push('etc/os-release', 'a/node_modules/b/package.json', 'package.json', 'x-1.dist-info/METADATA');
    for (const cataloger of CATALOGERS) {
      for (const path of paths) {
        for (const text of rubbish) {
          const facts = await parse(cataloger, path, text);
          assert.ok(facts.every(({ kind }) => kind === 'gap' || kind === 'owns'));
        }
      }
    }
  });
});

describe('dpkg', () => {
  it('wants the database, its distroless form and the file lists', () => {
    assert.ok(wants(dpkg, 'var/lib/dpkg/status'));
    assert.ok(wants(dpkg, 'var/lib/dpkg/status.d/base'));
    assert.ok(wants(dpkg, 'var/lib/dpkg/info/libc6:amd64.list'));
    assert.ok(!wants(dpkg, 'var/lib/dpkg/status-old'));
    assert.ok(!wants(dpkg, 'srv/var/lib/dpkg/status'));
    assert.ok(!wants(dpkg, 'var/lib/dpkg/info/libc6.md5sums'));
  });

  it('reads installed packages with architecture and source, and not what was removed', async () => {
    const facts = await parse(
      dpkg,
      'var/lib/dpkg/status',
      'Package: libstdc++6\nStatus: install ok installed\nArchitecture: amd64\nSource: gcc-12 (12.2.0-14)\n' +
        'Version: 12.2.0-14+b1\nDescription: text\n Package: not-this\n .\n more\n\n' +
        'Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n' +
        'Package: never\nStatus: unknown ok not-installed\n\n\n' +
        'Package: half\nStatus: install reinstreq half-configured\nArchitecture: all\nVersion: 1:2~rc1-3\nSource: half\n\n' +
        'Package: src\nVersion: 2\nSource: other\nArchitecture: all\r\n',
    );
    assert.deepEqual(facts, [
      {
        kind: 'package',
        type: 'deb',
        name: 'libstdc++6',
        version: '12.2.0-14+b1',
        distribution: true,
        qualifiers: { arch: 'amd64', upstream: 'gcc-12@12.2.0-14' },
      },
      {
        kind: 'package',
        type: 'deb',
        name: 'half',
        version: '1:2~rc1-3',
        distribution: true,
        qualifiers: { arch: 'all' },
      },
      {
        kind: 'package',
        type: 'deb',
        name: 'src',
        version: '2',
        distribution: true,
        qualifiers: { arch: 'all', upstream: 'other' },
      },
    ]);
  });

  it('counts entries that it cannot read', async () => {
    const facts = await parse(dpkg, 'var/lib/dpkg/status', 'Package: no-version\n\nPackage: bad name\nVersion: 1\n');
    assert.deepEqual(facts, [{ kind: 'gap', message: 'var/lib/dpkg/status: 2 entries are not readable' }]);
  });

  it('reads which files are owned, from lists and from checksums', async () => {
    const list = await parse(dpkg, 'var/lib/dpkg/info/a.list', '/.\n/usr\n/usr/lib/x/package.json\n');
    assert.deepEqual(list, [{ kind: 'owns', paths: ['', 'usr', 'usr/lib/x/package.json', ''] }]);
    const sums = await parse(dpkg, 'var/lib/dpkg/status.d/a.md5sums', `${'0'.repeat(32)}  usr/lib/a b\nrubbish\n`);
    assert.deepEqual(sums, [{ kind: 'owns', paths: ['usr/lib/a b'] }]);
  });
});

describe('npm', () => {
  for (const [path, wanted] of [
    ['package.json', true],
    ['srv/app/package.json', true],
    ['node_modules/a/package.json', true],
    ['srv/node_modules/@s/a/package.json', true],
    ['srv/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json', true],
    ['srv/node_modules/a/node_modules/b/package.json', true],
    ['srv/node_modules/a/test/package.json', false],
    ['srv/node_modules/@s/package.json', false],
    ['srv/node_modules/@s/a/b/package.json', false],
    ['srv/node_modules/package.json', false],
    ['srv/my-package.json', false],
    ['srv/package.json/x', false],
  ] as const) {
    it(`${wanted ? 'wants' : 'passes over'} ${path}`, () => assert.equal(wants(npm, path), wanted));
  }

  it('takes a package only where its folder bears its name', async () => {
    const manifest = JSON.stringify({ name: '@s/a', version: '1.2.3-rc.1', license: 'MIT' });
    const fact = { kind: 'package', type: 'npm', namespace: '@s', name: 'a', version: '1.2.3-rc.1', licenses: ['MIT'] };
    assert.deepEqual(await parse(npm, 'x/node_modules/@s/a/package.json', manifest), [fact]);
    assert.deepEqual(await parse(npm, 'x/app/package.json', manifest), [fact]);
    assert.deepEqual(await parse(npm, 'x/node_modules/b/package.json', manifest), []);
    assert.deepEqual(await parse(npm, 'x/node_modules/a/package.json', manifest), []);
  });

  it('takes nothing from names and versions that npm could not install', async () => {
    for (const manifest of [
      { name: 'a' },
      { version: '1' },
      { name: 1, version: '1' },
      { name: 'a b', version: '1' },
      { name: '../a', version: '1' },
      { name: 'a', version: '1\n' },
      { name: 'a'.repeat(215), version: '1' },
    ]) {
      assert.deepEqual(await parse(npm, 'app/package.json', JSON.stringify(manifest)), []);
    }
  });

  it('reads every form of a declared licence', async () => {
    const of = async (extra: object) => {
      const [fact] = await parse(npm, 'package.json', JSON.stringify({ name: 'a', version: '1', ...extra }));
      return fact?.kind === 'package' ? fact.licenses : fact;
    };
    assert.deepEqual(await of({ license: { type: 'ISC', url: 'x' } }), ['ISC']);
    assert.deepEqual(await of({ licenses: [{ type: 'MIT' }, 'X11', 3] }), ['MIT', 'X11']);
    assert.equal(await of({ license: 7 }), undefined);
    assert.deepEqual(await of({ license: 'line\none\ud800' }), ['line one\ufffd']);
  });
});

describe('python', () => {
  for (const [path, wanted] of [
    ['usr/lib/python3/dist-packages/requests-2.28.1.dist-info/METADATA', true],
    ['venv/lib/python3.11/site-packages/six.egg-info/PKG-INFO', true],
    ['usr/lib/python3/dist-packages/distro_info-1.5.egg-info', true],
    ['x/six-1.egg/EGG-INFO/PKG-INFO', true],
    ['x/setuptools/_vendor/packaging-24.dist-info/METADATA', false],
    ['x/requests.dist-info/RECORD', false],
    ['x/METADATA', false],
  ] as const) {
    it(`${wanted ? 'wants' : 'passes over'} ${path}`, () => assert.equal(wants(python, path), wanted));
  }

  it('reads the header, not the description', async () => {
    const path = 'x/zope.interface-5.5.dist-info/METADATA';
    const text =
      'Metadata-Version: 2.1\r\nName: zope.interface\r\nVersion: 5.5+local.1\r\nLicense: ZPL 2.1\r\n\r\nName: no\n';
    assert.deepEqual(await parse(python, path, text), [
      { kind: 'package', type: 'pypi', name: 'zope.interface', version: '5.5+local.1', licenses: ['ZPL 2.1'] },
    ]);
  });

  it('prefers the licence expression, and the classifiers to a whole licence text', async () => {
    const of = async (text: string) => {
      const [fact] = await parse(python, 'a-1.dist-info/METADATA', `Name: a\nVersion: 1\n${text}\n`);
      return fact?.kind === 'package' ? fact.licenses : fact;
    };
    const classifier = 'Classifier: License :: OSI Approved :: MIT License';
    assert.deepEqual(await of(`License-Expression: MIT OR Apache-2.0\nLicense: x\n${classifier}`), [
      'MIT OR Apache-2.0',
    ]);
    assert.deepEqual(await of(`License: ${'Permission is hereby granted '.repeat(20)}\n${classifier}`), [
      'MIT License',
    ]);
    assert.equal(await of('License: UNKNOWN\nClassifier: License :: OSI Approved'), undefined);
  });

  it('says where a distribution has no name', async () => {
    assert.deepEqual(await parse(python, 'a.dist-info/METADATA', 'Version: 1\n'), [
      { kind: 'gap', message: 'a.dist-info/METADATA names no package and version' },
    ]);
  });
});

describe('os-release', () => {
  it('reads quoted and plain values', async () => {
    assert.ok(wants(osRelease, 'etc/os-release') && wants(osRelease, 'usr/lib/os-release'));
    const text = `# c\nPRETTY_NAME="Rocky \\"Linux\\" 9"\nID='rocky'\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.3"\n`;
    assert.deepEqual(await parse(osRelease, 'etc/os-release', text), [
      {
        kind: 'system',
        id: 'rocky',
        idLike: ['rhel', 'centos', 'fedora'],
        versionId: '9.3',
        name: 'Rocky "Linux" 9',
      },
    ]);
  });
});

describe('unread evidence', () => {
  it('is named by its ecosystem', async () => {
    for (const [path, what] of [
      ['lib/apk/db/installed', 'apk databases'],
      ['var/lib/rpm/rpmdb.sqlite', 'rpm databases'],
      ['opt/app/lib/a.jar', 'Java archives'],
      ['usr/lib/ruby/gems/3.1.0/specifications/rack-2.gemspec', 'Ruby gems'],
    ] as const) {
      assert.ok(wants(unread, path));
      assert.deepEqual(await parse(unread, path, ''), [{ kind: 'unread', what }]);
    }
    assert.ok(!wants(unread, 'opt/app/main.js'));
  });
});
