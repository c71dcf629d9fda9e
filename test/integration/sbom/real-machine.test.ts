import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { buildDemoImage } from '#cli/demo/image-builder.ts';
import type { BuiltImage } from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import { resolveSubject } from '#engine/resolve.ts';
import type { Subject } from '#model/subject.ts';
import type { Target } from '#oci/target.ts';
import { renderCycloneDx } from '#sbom/cyclonedx.ts';
import type { Inventory } from '#sbom/inventory.ts';
import { createMemoryLayerFactsCache } from '#sbom/layer-facts-cache.ts';
import { takeInventory } from '#sbom/take-inventory.ts';
import { strictCycloneDx } from '../../support/cyclonedx-schema.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';

const run = promisify(execFile);
const CLONE = path.join(import.meta.dirname, '../../..');
const OUTPUT = { maxBuffer: 64 * 1024 * 1024 };

/** What the package managers of this machine say; npm complains by its exit code about optional packages. */
async function truth(command: string, args: readonly string[]): Promise<string[]> {
  const { stdout } = await run(command, args, { cwd: CLONE, ...OUTPUT }).catch((error) => {
    if (typeof error.stdout === 'string' && error.stdout !== '') return error;
    throw error;
  });
  return [...new Set<string>(stdout.split('\n').filter(Boolean))].sort();
}

function names(inventory: Inventory, type: string): string[] {
  return inventory.packages
    .filter((found) => found.type === type)
    .map(({ namespace, name, version }) => `${type === 'npm' && namespace ? `${namespace}/` : ''}${name}@${version}`)
    .sort();
}

describe('an image of the software of this machine', () => {
  let registry: TestRegistry;
  let target: Target & AsyncDisposable;
  let image: BuiltImage;
  let subject: Subject;
  let inventories: Inventory[];

  before(async () => {
    registry = await startRegistry();
    target = connect(registry.url);
    image = await buildDemoImage({ root: '/', application: CLONE });
    await pushImage(target, 'demo/app', '1.0', image);
    subject = await resolveSubject(target, { registry: registry.host, repository: 'demo/app', tag: '1.0' });
    inventories = await takeAll();
  });
  after(async () => {
    await target[Symbol.asyncDispose]();
    await registry.stop();
  });

  async function takeAll(): Promise<Inventory[]> {
    const cache = createMemoryLayerFactsCache(10_000_000);
    const taken = [];
    for (const { layers } of subject.platforms) {
      taken.push(await takeInventory({ source: target, repository: 'demo/app', layers, cache }));
    }
    return taken;
  }

  function bom(): object {
    return renderCycloneDx({
      repository: subject.image,
      digest: subject.image.digest,
      kind: subject.kind,
      platforms: subject.platforms.flatMap(({ descriptor, config }, place) => {
        const inventory = inventories[place];
        return inventory && config.platform
          ? [{ digest: descriptor.digest, platform: config.platform, inventory }]
          : [];
      }),
      configurationDigest: 'test',
    });
  }

  it('is an index of two platforms that differ', () => {
    assert.equal(subject.kind, 'index');
    assert.deepEqual(
      subject.platforms.map(({ config }) => config.platform?.architecture),
      ['amd64', 'arm64'],
    );
    assert.notDeepEqual(inventories[0]?.packages, inventories[1]?.packages);
  });

  it('is built the same again', async () => {
    const again = await buildDemoImage({ root: '/', application: CLONE });
    assert.equal(again.root.descriptor.digest, image.root.descriptor.digest);
  });

  it('holds exactly the packages that dpkg knows', async () => {
    const [amd64, arm64] = inventories;
    assert.ok(amd64 && arm64);
    const field = (name: string) => `\${${name}}`;
    const format = `${field('db:Status-Status')} ${field('Architecture')} ${field('Package')}@${field('Version')}\\n`;
    const installed = (await truth('dpkg-query', ['-W', '-f', format])).map((line) => line.split(' '));
    const of = (wanted: (architecture: string) => boolean) =>
      installed
        .filter(([status = '', architecture = '']) => status !== 'config-files' && wanted(architecture))
        .map(([, , found = '']) => found)
        .sort();
    assert.ok(installed.length > 50);
    assert.deepEqual(
      names(amd64, 'deb'),
      of(() => true),
    );
    assert.deepEqual(
      names(arm64, 'deb'),
      of((architecture) => architecture === 'all'),
    );
  });

  it('holds exactly the packages that npm knows', async () => {
    const lines = await truth('npm', ['ls', '--all', '--parseable', '--long']);
    const known = [...new Set(lines.map((line) => line.split(':')[1] ?? ''))].sort();
    assert.ok(known.length > 50);
    for (const inventory of inventories) assert.deepEqual(names(inventory, 'npm'), known);
  });

  it('has a complete SBOM that meets the strict schema, and the same one again', async () => {
    for (const { complete, gaps } of inventories) assert.deepEqual({ complete, gaps }, { complete: true, gaps: [] });
    const complaints = await strictCycloneDx();
    const first = bom();
    assert.deepEqual(complaints(first), []);
    inventories = await takeAll();
    assert.equal(JSON.stringify(bom()), JSON.stringify(first));
  });
});
