import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createHttpClient } from '#http/undici-client.ts';
import type { MaterialStore } from '#trust/material.ts';
import { type TufRepository, tufRepository } from '#trust/tuf-repository.ts';
import { failure } from '../../support/failure.ts';
import { startTufMirror, type TufMirror } from '../../support/tuf-mirror.ts';

const SOON = new Date(Date.now() + 3_600_000);
const PAST = new Date(Date.now() - 1000);

describe('material of a TUF repository', () => {
  let mirror: TufMirror;
  let http: ReturnType<typeof createHttpClient>;
  let kept: Uint8Array | undefined;
  const store: MaterialStore = {
    read: async () => kept,
    write: async (bytes) => {
      kept = bytes;
    },
  };

  before(() => {
    http = createHttpClient({ allowedHosts: 'any', userAgent: 'test' });
  });
  beforeEach(async () => {
    kept = undefined;
    mirror = await startTufMirror({ target: 'one', expires: SOON });
  });
  afterEach(() => mirror[Symbol.asyncDispose]());
  after(() => http.close());

  function open(root: Uint8Array = mirror.root): TufRepository {
    const now = () => new Date();
    return tufRepository({
      name: 'a trust',
      mirror: new URL(mirror.url),
      root,
      target: 'trusted_root.json',
      http,
      timeoutMs: 5000,
      store,
      now,
    });
  }

  async function text(repository: TufRepository): Promise<string> {
    return Buffer.from((await repository.fetch()).bytes).toString('utf8');
  }

  const paths = () => mirror.requests.map(({ path }) => path);

  it('is verified from the root, and says until when it counts', async () => {
    const material = await open().fetch();
    assert.equal(Buffer.from(material.bytes).toString(), 'one');
    assert.equal(material.expires.getTime(), Math.floor(SOON.getTime() / 1000) * 1000);
  });

  it('is kept for the next run, which asks nobody', async () => {
    assert.equal(await open().kept(), undefined);
    await open().fetch();
    const before = paths().length;
    const material = await open().kept();
    assert.equal(Buffer.from(material?.bytes ?? '').toString(), 'one');
    assert.equal(paths().length, before);
  });

  it('is replaced by what is published, and the root may roll over', async () => {
    assert.equal(await text(open()), 'one');
    mirror.rotate();
    mirror.publish({ target: 'two' });
    assert.equal(await text(open()), 'two');
    // From the first root too, and from nothing kept.
    kept = undefined;
    assert.equal(await text(open()), 'two');
  });

  it('does not go back to an older version', async () => {
    const older = Buffer.from(await (await fetch(`${mirror.url}/timestamp.json`)).arrayBuffer());
    mirror.publish({ target: 'two' });
    assert.equal(await text(open()), 'two');
    mirror.bend((honest, { path }) => (path === '/timestamp.json' ? { ...honest, body: older } : honest));
    assert.match((await failure(open().fetch())).message, /version/);
    // Who never saw the newer one cannot know.
    kept = undefined;
    assert.equal(await text(open()), 'one');
  });

  it('is refused when it is forged, of another root, or over', async () => {
    mirror.publish({ target: 'forged', forged: true });
    assert.match((await failure(open().fetch())).message, /a trust: the TUF repository gave no material/);
    mirror.publish({ target: 'late', expires: PAST });
    assert.match((await failure(open().fetch())).message, /expired/i);
    await using other = await startTufMirror({ target: 'one' });
    mirror.publish({ target: 'three' });
    assert.equal((await failure(open(other.root).fetch())).code, 'trust-unavailable');
    assert.equal(await text(open()), 'three');
  });

  it('is refused when any file has one byte changed', async () => {
    const files = ['/timestamp.json', '/1.snapshot.json', '/1.targets.json', '/targets/'];
    for (const changed of files) {
      mirror.bend((honest, { path }) => {
        if (!path.startsWith(changed)) return honest;
        const bytes = Buffer.from(honest.body ?? '');
        const at = Math.floor(bytes.length / 2);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        return { ...honest, body: bytes };
      });
      assert.equal((await failure(open().fetch())).code, 'trust-unavailable', changed);
      assert.equal(kept, undefined, changed);
    }
    mirror.bend();
    assert.equal(await text(open()), 'one');
  });

  it('is bounded: files that never end are given up', async () => {
    for (const endless of ['/2.root.json', '/timestamp.json', '/1.snapshot.json', '/1.targets.json', '/targets/']) {
      mirror.bend((honest, { path }) => {
        return path.startsWith(endless) ? { status: 200, body: Buffer.alloc(2 * 1024 * 1024, 0x20) } : honest;
      });
      assert.equal((await failure(open().fetch())).code, 'trust-unavailable', endless);
    }
  });

  it('starts anew where what is kept is damaged', async () => {
    await open().fetch();
    const whole = JSON.parse(Buffer.from(kept ?? '').toString('utf8'));
    for (const damaged of ['', '{}', 'null', JSON.stringify({ ...whole, metadata: { 'root.json': 'AAAA' } })]) {
      kept = Buffer.from(damaged);
      assert.equal(await open().kept(), undefined);
      assert.equal(await text(open()), 'one', damaged.slice(0, 80));
    }
    const outside = { ...whole, metadata: { ...whole.metadata, '../escaped.json': 'AAAA' } };
    kept = Buffer.from(JSON.stringify(outside));
    assert.equal(await open().kept(), undefined);
  });

  it('tells a mirror that is away', async () => {
    mirror.bend(() => ({ status: 503 }));
    assert.match((await failure(open().fetch())).message, /503/);
    const elsewhere = createHttpClient({ allowedHosts: ['tuf.example.com'], userAgent: 'test' });
    const now = () => new Date();
    const options = {
      name: 'a trust',
      mirror: new URL(mirror.url),
      root: mirror.root,
      target: 't',
      timeoutMs: 5000,
      store,
      now,
    };
    const { cause } = await failure(tufRepository({ ...options, http: elsewhere }).fetch());
    assert.equal(cause instanceof Error && 'code' in cause ? cause.code : '', 'host-not-allowed');
    await elsewhere.close();
  });
});
