import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSubject } from '#engine/resolve.ts';
import { placeWishes } from '#engine/wish-location.ts';
import { locationKey } from '#model/evidence.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { REGISTRY, signerOf, wishOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { push, smallImage, smallIndex } from '../../support/small-images.ts';

const signer = signerOf(makePki());
const names = { nameOf: (host: string) => (host === 'alias.test' ? REGISTRY : host) };

async function subjectOf(kind: 'image' | 'index') {
  const target = createMemoryTarget();
  await push(target, 'team/app', '1.0', kind === 'image' ? await smallImage('placed') : await smallIndex('placed'));
  return resolveSubject(target, { registry: REGISTRY, repository: 'team/app', tag: '1.0' });
}

test('wishes on one image are one location', async () => {
  const subject = await subjectOf('image');
  const groups = placeWishes(subject, [wishOf('cyclonedx', { signer }), wishOf('slsaprovenance1', { signer })], names);
  assert.deepEqual(
    groups.map((group) => group.map(({ wish, location }) => `${wish.type} ${locationKey(location)}`)),
    [
      [
        `cyclonedx ${REGISTRY}/team/app@${subject.image.digest}`,
        `slsaprovenance1 ${REGISTRY}/team/app@${subject.image.digest}`,
      ],
    ],
  );
});

test('an index has its platforms first, then itself, where a pod looks', async () => {
  const subject = await subjectOf('index');
  const groups = placeWishes(subject, [wishOf('cyclonedx', { signer }), wishOf('slsaprovenance1', { signer })], names);
  const platforms = subject.platforms.map(({ descriptor }) => descriptor.digest);
  assert.deepEqual(
    groups.map(([placed]) => placed?.location.digest),
    [...platforms, subject.image.digest],
  );
  assert.deepEqual(
    groups.map((group) => group.map(({ wish }) => wish.type)),
    [['cyclonedx'], ['cyclonedx'], ['cyclonedx', 'slsaprovenance1']],
  );
});

test('an evidence repository is called by the name of its registry, whatever alias the rule writes', async () => {
  const subject = await subjectOf('image');
  const [group] = placeWishes(subject, [wishOf('cyclonedx', { signer, repository: 'alias.test/evidence' })], names);
  assert.equal(group?.[0] && locationKey(group[0].location), `${REGISTRY}/evidence@${subject.image.digest}`);
});
