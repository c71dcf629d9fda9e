import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Target } from '#oci/target.ts';
import { connectRedis } from '#redis/connection.ts';
import { createEvidenceLock } from '#redis/evidence-lock.ts';
import { attachedDigests } from '../../support/attachments.ts';
import { runCli, startCli } from '../../support/cli.ts';
import { type EvidencedImage, pushEvidencedImage, pushPlainImage } from '../../support/copied-evidence.ts';
import { writeInstallation } from '../../support/installation-files.ts';
import { startRedis } from '../../support/redis.ts';
import { listReferrers } from '../../support/referrers.ts';
import { type ReferrersRegistry, startReferrersRegistry } from '../../support/referrers-registry.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const BLOB_PUT = /^PUT \/v2\/(.+)\/blobs\/uploads\/.*digest=(.+)$/;

describe('attestry copy', () => {
  let plain: TestRegistry;
  let listing: ReferrersRegistry;
  let source: Target & AsyncDisposable;
  let destination: Target & AsyncDisposable;
  let scratch: Scratch;
  const images = new Map<string, EvidencedImage>();

  before(async () => {
    [plain, listing, scratch] = await Promise.all([startRegistry(), startReferrersRegistry(), makeScratch()]);
    source = connect(plain.url);
    destination = connect(listing.url);
    for (const tag of ['1.0', '2.0', '3.0']) images.set(tag, await pushEvidencedImage(source, 'team/app', tag));
    await pushPlainImage(source, 'team/tool', 'latest');
  });
  after(async () => {
    await Promise.all([source[Symbol.asyncDispose](), destination[Symbol.asyncDispose]()]);
    await Promise.all([plain.stop(), listing[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
  });

  function image(tag: string): EvidencedImage {
    const found = images.get(tag);
    assert.ok(found);
    return found;
  }

  async function assertWhole(target: Target, repository: string, tag: string): Promise<void> {
    const { digest, manifests, referrers, cosignTags } = image(tag);
    assert.equal((await target.resolve(repository, tag)).digest, digest);
    for (const each of [...manifests, ...cosignTags]) {
      const there = await target.manifest(repository, each);
      assert.deepEqual(Buffer.from(there.bytes), Buffer.from((await source.manifest('team/app', each)).bytes));
    }
    for (const { subject, digest: referrer } of referrers) {
      const listed = await listReferrers(target, repository, subject);
      assert.ok(listed.some((each) => each.digest === referrer));
    }
  }

  it('copies one image under another name, and says so', async () => {
    const { code, stdout, stderr } = await runCli([
      'copy',
      `${plain.host}/team/app:1.0`,
      `${listing.host}/release/app:stable`,
    ]);
    assert.equal(code, 0, stderr);
    const { digest } = image('1.0');
    assert.match(
      stdout,
      new RegExp(`^copied\t.*/team/app:1.0\t.*/release/app:stable\t${digest}\tmanifests=4 referrers=3 cosign-tags=4\n`),
    );
    assert.match(stderr, /1 images: 1 copied; blobs: \d+ moved/);
    assert.equal((await destination.resolve('release/app', 'stable')).digest, digest);
  });

  it('copies what a list names, whole repositories and images without a tag among them', async () => {
    // No tag names it any more; its evidence tells of it.
    const untagged = await pushEvidencedImage(source, 'team/app', 'moving', 'first');
    await pushPlainImage(source, 'team/app', 'moving');
    const list = await scratch.write(
      'list.txt',
      [
        '# what the site needs',
        `${plain.host}/team/app`,
        '',
        `${plain.host}/team/tool:latest   # a single one`,
        `${plain.host}/team/tool:latest ${listing.host}/elsewhere/tool:2`,
      ].join('\n'),
    );
    const run = ['copy', '--from-file', list, '--to', `${listing.host}/site`, '--json'];
    const { code, stdout, stderr } = await runCli(run);
    assert.equal(code, 0, stderr);
    const { images: copied } = JSON.parse(stdout);
    for (const tag of ['1.0', '2.0', '3.0']) await assertWhole(destination, 'site/team/app', tag);
    assert.ok(copied.some(({ digest, tag }: Record<string, unknown>) => digest === untagged.digest && !tag));
    for (const digest of untagged.manifests) await destination.resolve('site/team/app', digest);
    await destination.resolve('site/team/tool', 'latest');
    await destination.resolve('elsewhere/tool', '2');
  });

  it('carries evidence out to a folder and in again, from a repository of evidence too', async () => {
    const { digest } = image('2.0');
    const folder = scratch.at('carried');
    const beside = scratch.at('carried-evidence');
    await runCli(['copy', `${plain.host}/team/app:2.0`, `${plain.host}/stripped/app`]);
    const out = await runCli([
      ...['copy', `${plain.host}/team/app:2.0`, `oci:${folder}`],
      ...['--evidence', `${plain.host}/stripped/app=oci:${beside}`],
    ]);
    assert.equal(out.code, 0, out.stderr);
    const back = await runCli([
      ...['copy', `oci:${folder}:2.0`, `${listing.host}/inside/app`],
      ...['--evidence', `oci:${beside}=${listing.host}/inside/evidence`],
    ]);
    assert.equal(back.code, 0, back.stderr);
    await assertWhole(destination, 'inside/app', '2.0');
    assert.equal((await attachedDigests(destination, 'inside/evidence', digest)).length, 2);
    // The evidence alone: the image is not copied there.
    await assert.rejects(destination.resolve('inside/evidence', '2.0'));
  });

  it('goes on where it was killed', async () => {
    const run = ['copy', `${plain.host}/team/app`, `${listing.host}/killed/app`, '--concurrency', '2'];
    const from = listing.requests.length;
    {
      await using running = startCli([...run, '--requests-per-second', '60']);
      await running.says(/^copied\t/m);
      running.signal('SIGKILL', 'group');
      await running.ended;
    }
    const tagged = ['1.0', '2.0', '3.0', 'moving'];
    const done = await Promise.all(tagged.map((tag) => destination.resolve('killed/app', tag).catch(() => undefined)));
    assert.ok(
      done.some((each) => each === undefined),
      'it was killed before its end',
    );
    const again = listing.requests.length;
    const { code, stdout, stderr } = await runCli(run);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^present\t/m);
    for (const tag of ['1.0', '2.0', '3.0']) await assertWhole(destination, 'killed/app', tag);
    // What was answered before the kill is not sent again.
    const puts = (lines: readonly string[]) => lines.flatMap((line) => BLOB_PUT.exec(line)?.[2] ?? []);
    const first = puts(listing.requests.slice(from, again));
    const second = puts(listing.requests.slice(again));
    assert.ok(first.length > 0 && second.length > 0);
    assert.deepEqual(
      second.filter((digest) => first.includes(digest)),
      [],
    );
  });

  it('waits as long as a registry asks', async () => {
    let refused = 0;
    listing.before(/^HEAD .*\/throttled\/app\//, () => {
      refused += 1;
      listing.manner.throttled = 1;
    });
    const { code, stderr } = await runCli(['copy', `${plain.host}/team/tool:latest`, `${listing.host}/throttled/app`]);
    assert.equal(code, 0, stderr);
    assert.equal(refused, 1);
    assert.match(stderr, /waiting 1 s/);
  });

  it('waits for the worker that holds a location', async () => {
    await using redis = await startRedis();
    const { config } = await writeInstallation(scratch, { redisUrl: redis.url, registry: listing.host });
    const text = await scratch.read('attestry.yaml');
    await scratch.write('attestry.yaml', text.replace('registries:', `registries:\n  - name: ${plain.host}`));
    await using connection = await connectRedis({ url: redis.url, role: 'store', name: 'test' });
    const held = createEvidenceLock(connection.client, { prefix: 'attestry', leaseMs: 60_000 });
    const location = { registry: listing.host, repository: 'locked/app', digest: image('1.0').digest };
    const lease = await held.acquire(location, 0);
    await using running = startCli([
      ...['copy', `${plain.host}/team/app:1.0`, `${listing.host}/locked/app`],
      ...['--config', config],
    ]);
    // All that needs no lock is there, and the index's evidence is not.
    while (!listing.requests.some((line) => line.includes(`PUT /v2/locked/app/manifests/${location.digest}`))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(running.child.exitCode, null);
    await assert.rejects(attachedDigests(destination, 'locked/app', location.digest));
    await lease[Symbol.asyncDispose]();
    const { code, stderr } = await running.ended;
    assert.equal(code, 0, stderr);
    await assertWhole(destination, 'locked/app', '1.0');
  });

  it('says what is wrong with what it was given', async () => {
    const list = await scratch.write('bad.txt', `${plain.host}/team/app\nregistry.test/Team/app x.test/y\n`);
    const cases: readonly (readonly [readonly string[], RegExp, number])[] = [
      [[], /SOURCE is missing/, 64],
      [['a.test/b'], /DESTINATION is missing/, 64],
      [['a.test/b', 'c.test/d:1'], /whole repository/, 64],
      [['a.test/b:1', `c.test/d@sha256:${'0'.repeat(64)}`], /has a digest/, 64],
      [['a.test/b:1', 'c.test/d', '--concurrency', '0'], /--concurrency 0 is not a whole number/, 64],
      [['a.test/b:1', 'c.test/d', '--bytes-per-second', '10X'], /--bytes-per-second 10X/, 64],
      [['a.test/b:1', 'c.test/d', '--evidence', 'e.test/f'], /is not two repositories/, 64],
      [['a.test/b:1', 'c.test/d', '--to', 'x.test'], /--to goes with --from-file/, 64],
      [['--from-file', list], /bad\.txt, line 1: .* has no destination/, 64],
      [['--from-file', list, '--to', 'c.test'], /bad\.txt, line 2: .*lower case/, 64],
      [[`${plain.host}/no/such`, `${listing.host}/x/y`], /has no tags, or is not there/, 2],
      [['oci:./nowhere:1', `${listing.host}/x/y`], /is not in .*nowhere/, 2],
    ];
    for (const [args, wanted, exit] of cases) {
      const { code, stdout, stderr } = await runCli(['copy', ...args]);
      assert.match(`${stdout}${stderr}`, wanted);
      assert.equal(code, exit, args.join(' '));
    }
  });
});
