import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { OCI_LAYER_GZIP } from '#model/media-types.ts';
import { walkLayer } from '#sbom/layer-walk.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';

const run = promisify(execFile);
const LONG = `${'folder-with-a-name/'.repeat(12)}end`;
/** Fits the prefix of ustar: neither half is longer than its field. */
const MEDIUM = `${'m'.repeat(90)}/${'n'.repeat(90)}`;

describe('archives of the system tar', () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'attestry-tar-'));
    for (const name of [LONG, MEDIUM]) {
      await mkdir(path.join(folder, path.dirname(name)), { recursive: true });
      await writeFile(path.join(folder, name), name);
    }
    await writeFile(path.join(folder, 'plain-ü'), 'x'.repeat(1000), { mode: 0o755 });
    await link(path.join(folder, 'plain-ü'), path.join(folder, 'second'));
    await symlink(LONG, path.join(folder, 'symbolic'));
    await writeFile(path.join(folder, 'sparse'), '');
    await truncate(path.join(folder, 'sparse'), 5_000_000);
  });
  after(() => rm(folder, { recursive: true }));

  async function read(args: readonly string[], names: readonly string[]) {
    const { stdout } = await run('tar', ['--sort=name', ...args, '-cf', '-', '-C', folder, ...names], {
      encoding: 'buffer',
      maxBuffer: 64 * 1024 * 1024,
    });
    const seen = new Map<string, string>();
    const contents = new Map<string, string>();
    const visitor = {
      entry: (entry: { path: string; kind: string; linkPath: string; sparse: boolean }) => {
        seen.set(
          entry.path,
          `${entry.kind}${entry.linkPath ? ` ${entry.linkPath}` : ''}${entry.sparse ? ' sparse' : ''}`,
        );
        return entry.kind === 'file' && !entry.sparse;
      },
      file: (entry: { path: string }, bytes: Uint8Array) =>
        void contents.set(entry.path, Buffer.from(bytes).toString()),
    };
    await walkLayer(Readable.from([stdout]), OCI_LAYER_GZIP, visitor, DEFAULT_WALK_LIMITS);
    return { seen, contents };
  }

  for (const format of ['gnu', 'oldgnu', 'pax', 'posix']) {
    it(`of format ${format} are read as tar reads them`, async () => {
      const { seen, contents } = await read([`--format=${format}`], ['.']);
      assert.equal(contents.get(LONG), LONG);
      assert.equal(contents.get(MEDIUM), MEDIUM);
      assert.equal(contents.get('plain-ü'), 'x'.repeat(1000));
      assert.equal(seen.get('second'), 'hard-link plain-ü');
      assert.equal(seen.get('symbolic'), 'symlink');
      assert.equal(seen.get('m'.repeat(90)), 'directory');
    });
  }

  for (const format of ['ustar', 'v7']) {
    it(`of format ${format} are read as far as the format goes`, async () => {
      const names = ['plain-ü', 'second', ...(format === 'ustar' ? [MEDIUM] : [])];
      const { seen, contents } = await read([`--format=${format}`], names);
      assert.deepEqual([...seen.keys()], names);
      assert.equal(contents.get('plain-ü'), 'x'.repeat(1000));
      if (format === 'ustar') assert.equal(contents.get(MEDIUM), MEDIUM);
    });
  }

  for (const version of ['gnu', '0.0', '0.1', '1.0']) {
    it(`with sparse files (${version}) are told apart`, async () => {
      const form = version === 'gnu' ? ['--format=gnu'] : ['--format=posix', `--sparse-version=${version}`];
      const { seen, contents } = await read(['-S', ...form], ['sparse', 'plain-ü']);
      assert.deepEqual(
        [...seen],
        [
          ['sparse', 'file sparse'],
          ['plain-ü', 'file'],
        ],
      );
      assert.equal(contents.get('plain-ü'), 'x'.repeat(1000));
    });
  }
});
