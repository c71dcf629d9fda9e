import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EvidenceLayout } from '#model/evidence.ts';
import { CYCLONEDX } from '#model/media-types.ts';
import { type Attachment, appendAttached, overwriteAttached, signedAttachment } from '../../support/attachments.ts';
import { attest, wishOf } from '../../support/installation.ts';
import {
  keySigner,
  type LayoutRegistry,
  layoutGround,
  openRegistry,
  REGISTRY_KINDS,
} from '../../support/layout-ground.ts';

const BOTH: readonly EvidenceLayout[] = ['cosign-tag', 'bundle'];
const other = keySigner('other');

for (const kind of REGISTRY_KINDS) {
  describe(`a first bundle beside evidence of others, ${kind}`, () => {
    let registry: LayoutRegistry;
    before(async () => {
      registry = await openRegistry(kind);
    });
    after(() => registry[Symbol.asyncDispose]());

    async function start(name: string) {
      const ground = await layoutGround(registry.client, name);
      const signer = keySigner();
      const { repository, digest } = ground.location;
      const theirs = await signedAttachment(other, digest, CYCLONEDX);
      const attached = (attachments: readonly Attachment[]) =>
        overwriteAttached(registry.client, repository, digest, attachments);
      const wish = (more: object = {}) => wishOf('slsaprovenance1', { signer, layouts: BOTH, ...more });
      return { ...ground, ground, theirs, attached, wish, repository, digest };
    }

    test('is refused, with what it would hide; the tag of cosign is written as ever', async () => {
      const { ports, theirs, attached, wish, bundles, attestations, repository, digest } = await start('refused');
      await attached([theirs]);
      const { evidence } = await attest(ports, repository, digest, [wish()]);
      assert.deepEqual(
        evidence.map(({ layout, state }) => `${layout} ${state}`),
        ['cosign-tag created', 'bundle refused'],
      );
      const why = evidence[1]?.hiding ?? '';
      assert.ok(why.includes(theirs.descriptor.digest), why);
      assert.match(why, /cosign 3 and ImageValidatingPolicy/);
      assert.deepEqual(await bundles(), []);
      assert.equal((await attestations()).length, 2);
    });

    test('a refusal is not a reason to sign again', async () => {
      const { run, theirs, attached, wish, attestations } = await start('refused-again');
      await attached([theirs]);
      await run([wish()]);
      const before = await attestations();
      assert.deepEqual(await run([wish()]), ['slsaprovenance1 cosign-tag present', 'slsaprovenance1 bundle refused']);
      assert.deepEqual(await attestations(), before);
    });

    test('is attached where the rule says warn, and says what it hides', async () => {
      const { ports, theirs, attached, wish, bundles, repository, digest } = await start('warned');
      await attached([theirs]);
      const { evidence } = await attest(ports, repository, digest, [wish({ hiding: 'warn' })]);
      assert.deepEqual(
        evidence.map(({ layout, state, hides }) => [layout, state, hides]),
        [
          ['cosign-tag', 'created', undefined],
          ['bundle', 'created', [`registry.test/${repository}@${theirs.descriptor.digest}`]],
        ],
      );
      assert.equal((await bundles()).length, 1);
      const again = await attest(ports, repository, digest, [wish({ hiding: 'warn' })]);
      assert.deepEqual(
        again.evidence.map(({ state, hides }) => [state, hides]),
        [
          ['present', undefined],
          ['present', undefined],
        ],
      );
    });

    test('hides nothing where only our own is, that becomes a bundle too', async () => {
      const { run, wish, ground } = await start('own');
      await run([wish({ layouts: ['cosign-tag'] })]);
      assert.deepEqual(await ground.forgetful().run([wish()]), [
        'slsaprovenance1 cosign-tag present',
        'slsaprovenance1 bundle created',
      ]);
    });

    test('our own of a wish that stays at the tag counts like that of others', async () => {
      const { run, wish } = await start('own-other-type');
      const sbom = wishOf('cyclonedx', { signer: keySigner('sboms'), layouts: ['cosign-tag'] });
      await run([sbom]);
      assert.deepEqual(await run([sbom, wish({ layouts: ['bundle'] })]), [
        'cyclonedx cosign-tag present',
        'slsaprovenance1 bundle refused',
      ]);
    });

    test('a signature of the image at its tag is hidden too', async () => {
      const { run, wish, ground } = await start('image-signature');
      await ground.forgetful().run([wishOf('signature', { signer: other, layouts: ['cosign-tag'] })]);
      assert.deepEqual(await run([wish()]), ['slsaprovenance1 cosign-tag created', 'slsaprovenance1 bundle refused']);
    });

    test('is no first one where somebody attached a bundle before', async () => {
      const { run, wish, ground, theirs, bundles, repository, digest } = await start('second');
      await ground.forgetful().run([wishOf('slsaprovenance1', { signer: other, layouts: BOTH })]);
      await appendAttached(registry.client, repository, digest, [theirs]);
      assert.deepEqual(await run([wish()]), ['slsaprovenance1 cosign-tag created', 'slsaprovenance1 bundle created']);
      assert.equal((await bundles()).length, 2);
    });
  });
}
