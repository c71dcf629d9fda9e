import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CloudEvent } from '#model/event.ts';
import { CYCLONEDX, SLSA_PROVENANCE_V1 } from '#model/media-types.ts';
import type { EvidenceRule } from '#model/rule.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import { overwriteAttached, signedAttachment } from '../../support/attachments.ts';
import { REGISTRY } from '../../support/installation.ts';
import { keySigner } from '../../support/layout-ground.ts';
import { doneOf, type JobGround, openJobGround, outcomesOf, signer, typesOf } from '../../support/watched-image.ts';

const BOTH: EvidenceRule = {
  type: 'slsaprovenance1',
  predicateType: SLSA_PROVENANCE_V1,
  layout: 'both',
  signer: signer.id,
  platforms: false,
};

let ground: JobGround;
before(async () => {
  ground = await openJobGround();
});
after(() => ground.close());

/** An image under a rule that judges it by its own trust alone. */
const watched = (name: string) => ground.watched(name, { evidence: [BOTH], policies: [] });

function itemsOf(events: readonly CloudEvent[], type: string): readonly string[] {
  return events
    .filter((event) => event.type === `dev.attestry.${type}.v1`)
    .flatMap(({ data }) => (data as { evidence: { layout: string; state: string }[] }).evidence)
    .map(({ layout, state }) => `${layout} ${state}`);
}

describe('a rule with both layouts', () => {
  test('tells of each, and notices when a referrer is deleted', async () => {
    const { attest, verify, run, relay, enqueued, repository, digest, target } = await watched('both');
    const first = await attest();
    assert.deepEqual(outcomesOf(first), ['pass']);
    assert.deepEqual(itemsOf(await relay(), 'evidence.attached'), ['cosign-tag created', 'bundle created']);
    const location = { registry: REGISTRY, repository, digest };
    const [bundle] = (await readBundles(ground.client, location)).evidence;
    assert.ok(bundle);
    await target.deleteManifest(repository, bundle.manifestDigest);
    const lapsed = await verify();
    assert.deepEqual(outcomesOf(lapsed), ['fail']);
    assert.match(lapsed.verdicts[0]?.reasons.map(({ message }) => message).join() ?? '', /among its bundles/);
    const [restore] = enqueued;
    assert.ok(restore);
    await relay();
    const mended = doneOf(await run(restore));
    assert.deepEqual(outcomesOf(mended), ['pass']);
    const told = await relay();
    assert.deepEqual(itemsOf(told, 'evidence.lost'), ['bundle lost']);
    assert.deepEqual(itemsOf(told, 'evidence.restored'), ['bundle restored']);
    const [again] = (await readBundles(ground.client, location)).evidence;
    assert.equal(again?.manifestDigest, bundle.manifestDigest);
  });

  test('tells what a first bundle would hide, and leaves it', async () => {
    const { attest, relay, repository, digest } = await watched('hiding');
    const theirs = await signedAttachment(keySigner('other'), digest, CYCLONEDX);
    await overwriteAttached(ground.client, repository, digest, [theirs]);
    const report = await attest();
    assert.deepEqual(
      report.evidence.map(({ layout, state }) => `${layout} ${state}`),
      ['cosign-tag created', 'bundle refused'],
    );
    const told = await relay();
    assert.ok(typesOf(told).includes('signing.refused'));
    const refusal = told.find(({ type }) => type === 'dev.attestry.signing.refused.v1')?.data as {
      reason: string;
      why: string;
    };
    assert.equal(refusal.reason, 'hiding');
    assert.ok(refusal.why.includes(theirs.descriptor.digest));
    assert.deepEqual(outcomesOf(report), ['fail'], 'what the rule wants is not there');
  });
});
