import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { attestImage } from '#engine/attest.ts';
import type { EnginePorts, EvidenceWish } from '#engine/engine-ports.ts';
import { resolveSubject } from '#engine/resolve.ts';
import type { MakerStep } from '#engine/statement-maker.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { RepositoryRef } from '#model/image-ref.ts';
import type { PromoteRule } from '#model/rule.ts';
import type { Registries, Target } from '#oci/target.ts';
import { attachedDigests, junkAttachment, overwriteAttached } from '../../support/attachments.ts';
import { bothWishes, enginePorts, signerOf, statesOf } from '../../support/installation.ts';
import { makePki } from '../../support/pki.ts';
import { listReferrers } from '../../support/referrers.ts';
import { type ReferrersRegistry, startReferrersRegistry } from '../../support/referrers-registry.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';
import { push, smallIndex } from '../../support/small-images.ts';

const STAGING = 'staging.test';
const PRODUCTION = 'production.test';
const signer = signerOf(makePki());
const other = signerOf(makePki(), 'other');

describe('an image that was promoted', () => {
  let plain: TestRegistry;
  let listing: ReferrersRegistry;
  let targets: Readonly<Record<string, Target & AsyncDisposable>>;
  let digest: Digest;
  const seen = new Map<string, RepositoryRef[]>();

  before(async () => {
    [plain, listing] = await Promise.all([startRegistry(), startReferrersRegistry()]);
    targets = { [STAGING]: connect(plain.url), [PRODUCTION]: connect(listing.url) };
    digest = await push(targetOf(STAGING), 'team/app', '1.0', await smallIndex('promoted'));
    await attest(
      { registry: STAGING, repository: 'team/app' },
      bothWishes({ signer, layouts: ['cosign-tag', 'bundle'] }),
    );
  });
  after(async () => {
    await Promise.all(Object.values(targets).map((target) => target[Symbol.asyncDispose]()));
    await Promise.all([plain.stop(), listing[Symbol.asyncDispose]()]);
  });

  function targetOf(registry: string): Target {
    const target = targets[registry];
    if (!target) throw new AppError('unknown-registry', `registry ${registry} is not configured`);
    return target;
  }

  function ports(): EnginePorts {
    const registries: Registries = { nameOf: (host) => host, target: targetOf, close: async () => {} };
    return enginePorts(targetOf(STAGING), {
      registries,
      seen: {
        note: async ({ digest: of, ...place }) => void seen.set(of, [...(seen.get(of) ?? []), place]),
        places: async (of) => seen.get(of) ?? [],
      },
    });
  }

  async function attest({ registry, repository }: RepositoryRef, wishes: readonly EvidenceWish[], maySign = true) {
    const image = { registry, repository, tag: '1.0' };
    const subject = await resolveSubject(targetOf(registry), image);
    const signed: MakerStep[] = [];
    const report = await attestImage(
      {
        subject,
        wishes,
        maySign,
        mayRestore: true,
        force: false,
        onStep: (step) => void (step.step === 'signed' ? signed.push(step) : undefined),
      },
      ports(),
    );
    return { report, signed: signed.length, states: [...new Set(statesOf(report))] };
  }

  /** What a promotion tool does: the same image, elsewhere. */
  async function promote(place: RepositoryRef): Promise<RepositoryRef> {
    await push(targetOf(place.registry), place.repository, '1.0', await smallIndex('promoted'));
    return place;
  }

  function wishes(promote: PromoteRule, more: Partial<EvidenceWish> = {}): readonly EvidenceWish[] {
    return bothWishes({ signer, promote, ...more });
  }

  const fromStaging: PromoteRule = { from: [`${STAGING}/team/app`], otherwise: 'make' };

  async function assertSame(place: RepositoryRef): Promise<void> {
    const target = targetOf(place.registry);
    const { platforms } = await resolveSubject(target, { ...place, tag: '1.0' });
    for (const about of [digest, ...platforms.map(({ descriptor }) => descriptor.digest)]) {
      const there = await attachedDigests(target, place.repository, about);
      assert.deepEqual(there, await attachedDigests(targetOf(STAGING), 'team/app', about));
    }
  }

  it('gets the evidence that it has in another repository of its registry, and nothing is signed', async () => {
    const place = await promote({ registry: STAGING, repository: 'release/app' });
    const { states, signed, report } = await attest(place, wishes(fromStaging));
    assert.deepEqual(states, ['cyclonedx copied', 'slsaprovenance1 copied']);
    assert.equal(signed, 0);
    assert.ok(report.evidence.every(({ from }) => from === `${STAGING}/team/app`));
    await assertSame(place);
    const again = await attest(place, wishes(fromStaging));
    assert.deepEqual(again.states, ['cyclonedx present', 'slsaprovenance1 present']);
  });

  it('gets it from another registry, in both layouts', async () => {
    const place = await promote({ registry: PRODUCTION, repository: 'team/app' });
    const both = wishes(fromStaging, { layouts: ['cosign-tag', 'bundle'] });
    const { states, signed } = await attest(place, both);
    assert.deepEqual(states, ['cyclonedx copied', 'slsaprovenance1 copied']);
    assert.equal(signed, 0);
    await assertSame(place);
    const [here, there] = await Promise.all(
      [STAGING, PRODUCTION].map((registry) => listReferrers(targetOf(registry), 'team/app', digest)),
    );
    assert.equal(here?.length, 2);
    assert.deepEqual(new Set(there?.map((each) => each.digest)), new Set(here?.map((each) => each.digest)));
  });

  it('is not signed for want of the rule’s leave: copying signs nothing', async () => {
    const place = await promote({ registry: PRODUCTION, repository: 'gated/app' });
    const { states } = await attest(place, wishes(fromStaging), false);
    assert.deepEqual(states, ['cyclonedx copied', 'slsaprovenance1 copied']);
  });

  it('gets it from wherever the digest was seen and the rule lets it come', async () => {
    seen.set(digest, [
      { registry: STAGING, repository: 'private/app' },
      { registry: 'gone.test', repository: 'team/app' },
      { registry: STAGING, repository: 'team/app' },
    ]);
    const place = await promote({ registry: PRODUCTION, repository: 'seen/app' });
    const open: PromoteRule = { from: ['*/team/*'], otherwise: 'refuse' };
    const { report, states } = await attest(place, wishes(open));
    assert.deepEqual(states, ['cyclonedx copied', 'slsaprovenance1 copied']);
    assert.ok(report.evidence.every(({ from }) => from === `${STAGING}/team/app`));
  });

  it('keeps what stands at its new place', async () => {
    const place = await promote({ registry: PRODUCTION, repository: 'joined/app' });
    const theirs = junkAttachment('of somebody else');
    await overwriteAttached(targetOf(PRODUCTION), 'joined/app', digest, [theirs]);
    await attest(place, wishes(fromStaging));
    const there = await attachedDigests(targetOf(PRODUCTION), 'joined/app', digest);
    assert.equal(there[0], theirs.descriptor.digest);
    assert.equal(there.length, 3);
  });

  it('gets nothing that does not hold under the trust of the wish: it is made, or refused', async () => {
    for (const [otherwise, wanted] of [
      ['make', 'created'],
      ['refuse', 'refused'],
    ] as const) {
      const place = await promote({ registry: PRODUCTION, repository: `others-${otherwise}/app` });
      const rule: PromoteRule = { from: [`${STAGING}/team/app`], otherwise };
      const { states, signed } = await attest(place, bothWishes({ signer: other, promote: rule }));
      assert.deepEqual(states, [`cyclonedx ${wanted}`, `slsaprovenance1 ${wanted}`]);
      assert.equal(signed > 0, otherwise === 'make');
      const attached = attachedDigests(targetOf(PRODUCTION), place.repository, digest);
      if (otherwise === 'make') assert.equal((await attached).length, 2);
      else await assert.rejects(attached, { code: 'not-found' });
    }
  });

  it('copies only what the wish is about', async () => {
    const place = await promote({ registry: PRODUCTION, repository: 'one/app' });
    const [first] = wishes(fromStaging);
    assert.ok(first);
    const { states } = await attest(place, [first]);
    assert.deepEqual(states, ['cyclonedx copied']);
    assert.equal((await attachedDigests(targetOf(PRODUCTION), 'one/app', digest)).length, 1);
  });

  it('makes nothing while a repository that the rule names cannot be read', async () => {
    const place = await promote({ registry: PRODUCTION, repository: 'away/app' });
    const rule: PromoteRule = { from: ['gone.test/team/app'], otherwise: 'make' };
    await assert.rejects(attest(place, wishes(rule)), { code: 'unknown-registry' });
    await assert.rejects(attachedDigests(targetOf(PRODUCTION), 'away/app', digest), { code: 'not-found' });
  });
});
