import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CYCLONEDX, SLSA_PROVENANCE_V1 } from '#model/media-types.ts';
import { policyAsks } from '#policy/policy-asks.ts';

test('a ClusterPolicy asks by its type: attestations, and signatures of the image', () => {
  const text = `
kind: ClusterPolicy
metadata: { name: evidence }
spec:
  rules:
    - verifyImages:
        - { attestations: [{ type: ${CYCLONEDX} }, { predicateType: ${SLSA_PROVENANCE_V1} }] }
        - { type: SigstoreBundle, attestors: [{ entries: [] }] }
        - { type: Notary, attestations: [{ type: whatever }] }
`;
  const policy = 'ClusterPolicy/evidence';
  assert.deepEqual(policyAsks(text), [
    { policy, verifier: 'kyverno-cosign', predicateType: CYCLONEDX },
    { policy, verifier: 'kyverno-cosign', predicateType: SLSA_PROVENANCE_V1 },
    { policy, verifier: 'kyverno-bundle' },
  ]);
});

test('an ImageValidatingPolicy asks for what it names and calls', () => {
  const text = `
kind: ImageValidatingPolicy
metadata: { name: ivp }
spec:
  attestations: [{ name: sbom, intoto: { type: ${CYCLONEDX} } }, { name: other, referrer: { type: x } }]
  validations: [{ expression: "images.containers.map(i, verifyImageSignatures(i, [attestors.a])).all(e, e > 0)" }]
`;
  const policy = 'ImageValidatingPolicy/ivp';
  assert.deepEqual(policyAsks(text), [
    { policy, verifier: 'kyverno-ivp' },
    { policy, verifier: 'kyverno-ivp', predicateType: CYCLONEDX },
  ]);
});

test('a ClusterImagePolicy asks in the layout that its authorities are told', () => {
  const text = `
kind: ClusterImagePolicy
metadata: { name: cip }
spec:
  authorities:
    - { key: {}, attestations: [{ predicateType: cyclonedx }] }
    - { keyless: {}, signatureFormat: bundle }
    - { static: { action: pass } }
`;
  const asked = { policy: 'ClusterImagePolicy/cip', verifier: 'policy-controller' };
  assert.deepEqual(policyAsks(text), [
    { ...asked, only: 'cosign-tag', predicateType: CYCLONEDX },
    { ...asked, only: 'bundle' },
  ]);
});

test('what is no policy, or a broken one, asks for nothing', () => {
  for (const text of [
    '',
    'kind: Pod',
    'kind: ClusterPolicy\nspec: []',
    '{',
    'kind: ClusterPolicy\nspec: { rules: [{ verifyImages: 1 }] }',
  ]) {
    assert.deepEqual(policyAsks(text), [], text);
  }
});
