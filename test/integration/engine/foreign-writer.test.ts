import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Target } from '#oci/target.ts';
import type { FixedSigner } from '#signing/signer.ts';
import {
  appendAttached,
  attachedDigests,
  attestationTagOf,
  junkAttachment,
  overwriteAttached,
  readAttached,
} from '../../support/attachments.ts';
import { attest, bothWishes, enginePorts, signerOf, statesOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { watchTarget } from '../../support/watched-target.ts';

const real = signerOf(makePki());
const junk = junkAttachment('of another tool', { 'org.example/by': 'another tool' });
const more = junkAttachment('and one more');

let registry: TestRegistry;
let client: Target & AsyncDisposable;

before(async () => {
  registry = await startRegistry();
  client = connect(registry.url);
});
after(async () => {
  await client[Symbol.asyncDispose]();
  await registry.stop();
});

/** A signer that counts. */
function countingSigner() {
  let signed = 0;
  const signer: FixedSigner = {
    ...real,
    signer: {
      sign: (data) => {
        signed += 1;
        return real.signer.sign(data);
      },
    },
  };
  return { signer, signatures: () => signed };
}

test('another writer that appends between our read and our PUT of new evidence', async () => {
  const repository = 'foreign/first-with-another';
  const subject = await push(client, repository, '1.0', await smallImage('first-with-another'));
  await overwriteAttached(client, repository, subject, [junk]);
  const target = watchTarget(client);
  target.before('pushBlob', /config/, async () => void (await appendAttached(client, repository, subject, [more])));
  const report = await attest(enginePorts(target), repository, '1.0', bothWishes({ signer: real }));
  assert.deepEqual(statesOf(report), ['cyclonedx created', 'slsaprovenance1 created']);
  const { layers } = await readAttached(client, repository, subject);
  assert.deepEqual(layers.slice(0, 2), [junk.descriptor, more.descriptor]);
  assert.deepEqual(
    layers.slice(2).map(({ digest }) => digest),
    report.evidence.map(({ digest }) => digest),
  );
});

test('another writer between our PUT and our reading back: ours are listed again beside theirs', async () => {
  const repository = 'foreign/after-put';
  const subject = await push(client, repository, '1.0', await smallImage('after-put'));
  await overwriteAttached(client, repository, subject, [junk]);
  const target = watchTarget(client);
  const { signer, signatures } = countingSigner();
  // It read before our PUT, so that its list does not have ours.
  target.after('pushManifest', /\.att$/, async () => {
    await overwriteAttached(client, repository, subject, [junk, more]);
  });
  const report = await attest(enginePorts(target), repository, '1.0', bothWishes({ signer }));
  assert.deepEqual(statesOf(report), ['cyclonedx created', 'slsaprovenance1 created']);
  const digests = await attachedDigests(client, repository, subject);
  const ours = report.evidence.map(({ digest }) => digest);
  assert.deepEqual(digests, [junk.descriptor.digest, more.descriptor.digest, ...ours]);
  assert.equal(signatures(), 2, 'what was signed once is written again as it is');
  assert.equal(target.puts.length, 2);
});

test('another writer that deletes the tag between our PUT and our reading back', async () => {
  const repository = 'foreign/deleted-after-put';
  const subject = await push(client, repository, '1.0', await smallImage('deleted-after-put'));
  const target = watchTarget(client);
  target.after('pushManifest', /\.att$/, async () => {
    const { digest } = await client.resolve(repository, attestationTagOf(subject));
    await client.deleteManifest(repository, digest);
  });
  const report = await attest(enginePorts(target), repository, '1.0', bothWishes({ signer: real }));
  assert.deepEqual(
    await attachedDigests(client, repository, subject),
    report.evidence.map(({ digest }) => digest),
  );
});

test('a writer that never stops coming between is named, and theirs is left standing', async () => {
  const repository = 'foreign/endless';
  const subject = await push(client, repository, '1.0', await smallImage('endless'));
  const target = watchTarget(client);
  for (let at = 0; at < 10; at++) {
    target.after('pushManifest', /\.att$/, async () => {
      await overwriteAttached(client, repository, subject, [junk]);
    });
  }
  await assert.rejects(attest(enginePorts(target), repository, '1.0', bothWishes({ signer: real })), {
    code: 'write-conflict',
    message: /overwriting registry\.test\/foreign\/endless:sha256-/,
  });
  assert.ok(target.puts.length <= 6);
  assert.deepEqual((await readAttached(client, repository, subject)).layers, [junk.descriptor]);
});
