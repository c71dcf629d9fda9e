import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#model/errors.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { parseImageRef } from '#model/image-ref.ts';
import { COSIGN_SIGN, CYCLONEDX, SLSA_PROVENANCE_V1 } from '#model/media-types.ts';
import type { EvidenceKind, LocationContent } from '#policy/policy.ts';
import { heldEvidence, trustPolicy } from '#policy/trust-policy.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { makePki } from '../../support/pki.ts';
import { createRekorLog } from '../../support/rekor-log.ts';
import { SUBJECT, signedEvidence } from '../../support/signed-evidence.ts';

const now = new Date('2026-01-01T00:00:00Z');
const pki = makePki();
const attestor = chainAttestor({ chain: pki.chainPem });
const provenance = signedEvidence(pki);
const sbom = signedEvidence(pki, { type: CYCLONEDX });
const foreign = signedEvidence(makePki());

function judge(evidence: readonly RawEvidence[], predicateTypes: readonly string[], requireLog = false) {
  const wanted = chainAttestor({ chain: pki.chainPem, requireLog });
  const policy = trustPolicy({ id: 'ours', predicateTypes, attestor: wanted });
  const image = parseImageRef('registry.test/team/app:1');
  return policy.evaluate({ image, digest: SUBJECT, now, content: attestations(evidence) });
}

/** Evidence at the attestation tag, and nothing elsewhere. */
function attestations(evidence: readonly RawEvidence[]) {
  return (_location: unknown, kind?: EvidenceKind): LocationContent => {
    return { ok: true, evidence: kind === 'attestation' ? evidence : [] };
  };
}

const codes = (verdict: ReturnType<typeof judge>) => verdict.reasons.map(({ code }) => code);

test('one piece of every type is enough, and what does not hold beside it is named', () => {
  const verdict = judge([foreign, provenance, sbom], [SLSA_PROVENANCE_V1, CYCLONEDX]);
  assert.equal(verdict.outcome, 'pass');
  assert.deepEqual(codes(verdict), ['verified', 'verified', 'chain-untrusted']);
  assert.equal(verdict.emulates, 'attestry');
  assert.equal(verdict.mode, 'strict');
  assert.equal(verdict.policy.uri, 'attestry:trust:ours');
  assert.equal(verdict.policy.kind, 'Trust');
});

test('a type that is missing fails', () => {
  const verdict = judge([provenance], [SLSA_PROVENANCE_V1, CYCLONEDX]);
  assert.equal(verdict.outcome, 'fail');
  assert.deepEqual(codes(verdict), ['verified', 'evidence-missing']);
  assert.deepEqual(codes(judge([foreign], [SLSA_PROVENANCE_V1])), ['evidence-invalid', 'chain-untrusted']);
  assert.deepEqual(codes(judge([], [SLSA_PROVENANCE_V1])), ['evidence-missing']);
});

test('a required log entry: missing is a fail, present cannot be judged yet', () => {
  const logged = createRekorLog().log(signedEvidence(pki));
  assert.equal(judge([provenance], [SLSA_PROVENANCE_V1], true).outcome, 'fail');
  const undecided = judge([logged], [SLSA_PROVENANCE_V1], true);
  assert.equal(undecided.outcome, 'error');
  assert.equal(undecided.reasons[0]?.code, 'policy-unsupported');
  assert.equal(judge([logged], [SLSA_PROVENANCE_V1]).outcome, 'pass');
});

test('evidence that cannot be fetched is an error', () => {
  const policy = trustPolicy({ id: 'ours', predicateTypes: [CYCLONEDX], attestor });
  const verdict = policy.evaluate({
    image: parseImageRef('registry.test/team/app:1'),
    digest: SUBJECT,
    now,
    content: () => ({ ok: false, error: new AppError('network', 'broken') }),
  });
  assert.deepEqual([verdict.outcome, codes(verdict)], ['error', ['evidence-unreachable']]);
});

test('the evidence repository is the image’s own, or the one that is named', () => {
  const image = parseImageRef('registry.test/team/app:1');
  const at = (repository?: string) =>
    trustPolicy({ id: 'x', predicateTypes: [], attestor, ...(repository ? { repository } : {}) }).needs(image, SUBJECT);
  assert.deepEqual(at().locations, [{ registry: 'registry.test', repository: 'team/app', digest: SUBJECT }]);
  assert.deepEqual(at('evidence.test/all/container').locations, [
    { registry: 'evidence.test', repository: 'all/container', digest: SUBJECT },
  ]);
});

test('in each layout, or in any', () => {
  const both = { id: 'ours', predicateTypes: [CYCLONEDX], attestor };
  const image = parseImageRef('registry.test/team/app:1');
  const outcome = (more: object) =>
    trustPolicy({ ...both, ...more }).evaluate({ image, digest: SUBJECT, now, content: attestations([sbom]) });
  assert.equal(outcome({}).outcome, 'pass');
  assert.equal(outcome({ inEach: true, layouts: ['cosign-tag'] }).outcome, 'pass');
  const missing = outcome({ inEach: true });
  assert.deepEqual([missing.outcome, codes(missing)], ['fail', ['verified', 'evidence-missing']]);
  assert.match(missing.reasons[1]?.message ?? '', /among its bundles/);
  assert.equal(outcome({ layouts: ['bundle'] }).outcome, 'fail');
});

test('what is read is what the types and layouts want', () => {
  const image = parseImageRef('registry.test/team/app:1');
  const read = (predicateTypes: string[], more: object = {}) => {
    const needs = trustPolicy({ id: 'x', predicateTypes, attestor, ...more }).needs(image, SUBJECT);
    return [needs.locations, needs.signatures, needs.bundles].map((list) => list?.length);
  };
  assert.deepEqual(read([CYCLONEDX]), [1, 0, 1]);
  assert.deepEqual(read([COSIGN_SIGN]), [0, 1, 1]);
  assert.deepEqual(read([COSIGN_SIGN, CYCLONEDX]), [1, 1, 1]);
  assert.deepEqual(read([CYCLONEDX], { layouts: ['bundle'] }), [0, 0, 1]);
  assert.deepEqual(read([CYCLONEDX], { layouts: ['cosign-tag'] }), [1, 0, 0]);
});

test('the digest of a trust tells one from another', () => {
  const digestOf = (more: object) =>
    trustPolicy({ id: 'x', predicateTypes: [CYCLONEDX], attestor, ...more }).identity.digest;
  assert.equal(digestOf({}), digestOf({}));
  const others = [
    { predicateTypes: [] },
    { repository: 'a.test/b' },
    { attestor: chainAttestor({ roots: pki.root.pem }) },
  ];
  assert.equal(new Set([digestOf({}), ...others.map(digestOf)]).size, 4);
});

test('held evidence is what holds and is of the type', () => {
  const held = heldEvidence([provenance, sbom, foreign], SUBJECT, attestor, CYCLONEDX, now);
  assert.deepEqual(
    held.map(({ raw }) => raw),
    [sbom],
  );
});
