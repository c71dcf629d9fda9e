import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sha256 } from '#model/digest.ts';
import type { Target } from '#oci/target.ts';
import {
  type Attachment,
  attachedDigests,
  overwriteAttached,
  readAttached,
  readBytes,
} from '../../support/attachments.ts';
import { attest, bothWishes, enginePorts, signerOf, statesOf, wishOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallImage } from '../../support/small-images.ts';
import { watchTarget } from '../../support/watched-target.ts';

const signer = signerOf(makePki());
const wishes = bothWishes({ signer });
/** A push that the rule's `when` does not let be signed, under a rule that restores what lapsed. */
const notAllowed = { maySign: false, mayRestore: true, mayRenew: () => true };

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

async function ourEvidenceOf(repository: string, tag: string): Promise<readonly Attachment[]> {
  const digest = await push(client, repository, tag, await smallImage(`${repository}-${tag}`));
  await attest(enginePorts(client), repository, tag, wishes);
  const { layers } = await readAttached(client, repository, digest);
  return Promise.all(
    layers.map(async (descriptor) => ({ descriptor, bytes: await readBytes(client, repository, descriptor) })),
  );
}

test('our evidence of one image, copied beside another, is no reason to sign that one', async () => {
  const repository = 'copied/when';
  const copies = await ourEvidenceOf(repository, 'good');
  const evil = await push(client, repository, 'evil', await smallImage('copied-evil'));
  const placed = await overwriteAttached(client, repository, evil, copies);
  const target = watchTarget(client);
  const report = await attest(enginePorts(target), repository, 'evil', wishes, notAllowed);
  assert.deepEqual(statesOf(report), ['cyclonedx refused', 'slsaprovenance1 refused']);
  assert.deepEqual(target.puts, []);
  assert.equal((await readAttached(client, repository, evil)).digest, placed);
});

test('what is copied beside an image that may be signed stays as whoever put it there left it', async () => {
  const repository = 'copied/allowed';
  const copies = await ourEvidenceOf(repository, 'good');
  const other = await push(client, repository, 'other', await smallImage('copied-other'));
  await overwriteAttached(client, repository, other, copies);
  const report = await attest(enginePorts(client), repository, 'other', wishes);
  assert.deepEqual(statesOf(report), ['cyclonedx created', 'slsaprovenance1 created']);
  const listed = await attachedDigests(client, repository, other);
  assert.deepEqual(
    listed.slice(0, 2),
    copies.map(({ descriptor }) => descriptor.digest),
  );
});

test('an envelope that somebody signed beside us is not ours alone, and is not replaced', async () => {
  const repository = 'copied/cosigned';
  const [ours] = await ourEvidenceOf(repository, 'good');
  assert.ok(ours?.bytes);
  const digest = (await client.resolve(repository, 'good')).digest;
  const envelope = JSON.parse(Buffer.from(ours.bytes).toString()) as { signatures: object[] };
  const theirs = { keyid: 'theirs', sig: Buffer.from('a signature of theirs').toString('base64') };
  const bytes = Buffer.from(JSON.stringify({ ...envelope, signatures: [...envelope.signatures, theirs] }));
  const descriptor = { ...ours.descriptor, digest: sha256(bytes), size: bytes.byteLength };
  await overwriteAttached(client, repository, digest, [{ descriptor, bytes }]);
  await attest(enginePorts(client), repository, 'good', [wishOf('cyclonedx', { signer })], { force: true });
  assert.equal((await attachedDigests(client, repository, digest))[0], descriptor.digest);
});
