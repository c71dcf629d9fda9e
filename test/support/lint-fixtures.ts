import { stringify } from 'yaml';
import type { LintCode } from '#policy/lint/catalogue.ts';
import { clusterPolicy } from './cluster-policy.ts';

const PROVENANCE = 'https://slsa.dev/provenance/v1';
const SBOM = 'https://cyclonedx.org/bom';
const KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEt2jsFvFo6PR84bT6RDvfK+2CJABF
zDipb7uWu4Kq7dAK6p3dgVBN1JoZsz7ICWK+dq/8klJwWy5FP1qGeHGgoA==
-----END PUBLIC KEY-----
`;
const IGNORES = { rekor: { ignoreTlog: true }, ctlog: { ignoreSCT: true } };
const REKOR = { rekor: { url: 'https://rekor.example.com' } };
const NAMED = { subject: 'https://ci.example.com/release', issuer: 'https://issuer.example.com' };
const keys = { keys: { publicKeys: KEY, ...IGNORES } };
const chain = { certificates: { certChain: 'PEM', ...IGNORES } };
const BUILDER = [{ all: [{ key: '{{ runDetails.builder.id }}', operator: 'Equals', value: 'https://builder' }] }];

type Members = Readonly<Record<string, unknown>>;

/** A policy of one element, sound but for `members`. */
function element(members: Members = {}): string {
  return clusterPolicy([], {
    element: { attestations: [{ type: SBOM, attestors: [{ entries: [keys] }] }], ...members },
  });
}

function entry(attestor: Members, type?: string): string {
  return element({ ...(type ? { type } : {}), attestations: [{ type: SBOM, attestors: [{ entries: [attestor] }] }] });
}

function attestation(members: Members): string {
  return element({ attestations: [{ type: SBOM, attestors: [{ entries: [keys] }], ...members }] });
}

function keyless(members: Members, type?: string): string {
  return entry({ keyless: { ...NAMED, ...REKOR, ...members } }, type);
}

function certificates(members: Members): string {
  return entry({ certificates: { certChain: 'PEM', ...members } });
}

function elements(...all: readonly Members[]): string {
  const attestations = [{ type: SBOM, attestors: [{ entries: [keys] }] }];
  const verifyImages = all.map((members) => ({ imageReferences: ['registry.test/*'], attestations, ...members }));
  return clusterPolicy([], { rule: { verifyImages } });
}

function imageValidating(version: string): string {
  const spec = { attestors: [], attestations: [], validations: [] };
  return stringify({
    apiVersion: `policies.kyverno.io/${version}`,
    kind: 'ImageValidatingPolicy',
    metadata: { name: 'x' },
    spec,
  });
}

function clusterImage(action: string): string {
  const spec = { images: [{ glob: 'registry.test/**' }], authorities: [{ static: { action } }] };
  return stringify({
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name: 'x' },
    spec,
  });
}

const SOUND = element();

export interface LintFixture {
  readonly bad: string;
  readonly good: string;
  /** How the line begins that the finding points at, behind its indentation and dashes. */
  readonly at: string;
}

/** One policy that has the trap and one that is like it and has it not, for every row of the catalogue. */
export const LINT_FIXTURES: Readonly<Record<LintCode, LintFixture>> = {
  'not-yaml': { bad: 'kind: [', good: SOUND, at: '' },
  'schema-broken': { bad: element({ imageReference: ['registry.test/*'] }), good: SOUND, at: 'imageReferences:' },
  'refused-by-admission': {
    bad: attestation({ attestors: [{ count: 3, entries: [keys, chain] }] }),
    good: attestation({ attestors: [{ count: 2, entries: [keys, chain] }] }),
    at: 'count: 3',
  },
  'kind-not-linted': { bad: 'apiVersion: v1\nkind: Pod\n', good: SOUND, at: 'kind: Pod' },
  'deprecated-kind': { bad: SOUND, good: imageValidating('v1'), at: 'kind: ClusterPolicy' },
  'deprecated-field': {
    bad: attestation({ type: undefined, predicateType: SBOM }),
    good: SOUND,
    at: `predicateType: ${SBOM}`,
  },
  'reference-without-host': {
    bad: element({ imageReferences: ['registry.test/*', 'team/app*'] }),
    good: element({ imageReferences: ['registry.test/*', 'localhost:5000/app*', '*/team/app*', '*'] }),
    at: 'team/app*',
  },
  'digest-not-matched': {
    bad: element({ imageReferences: ['registry.test:5000/app:v*'] }),
    good: element({ imageReferences: ['registry.test:5000/app:v*', 'registry.test:5000/app@*', 'registry.test/*:*'] }),
    at: 'registry.test:5000/app:v*',
  },
  'nothing-verified': { bad: element({ attestations: [] }), good: SOUND, at: 'imageReferences:' },
  'attestation-without-attestors': { bad: attestation({ attestors: [] }), good: SOUND, at: `type: ${SBOM}` },
  'nested-attestor-ignored': {
    bad: entry({ attestor: { entries: [keys] } }),
    good: element({ attestors: [{ entries: [{ attestor: { entries: [keys] } }] }] }),
    at: 'attestor:',
  },
  'cert-beside-chain': { bad: certificates({ cert: 'PEM', ...IGNORES }), good: certificates(IGNORES), at: 'cert: PEM' },
  'chain-without-ignore-tlog': {
    bad: certificates({ ctlog: { ignoreSCT: true } }),
    good: certificates({ ctlog: { ignoreSCT: true }, rekor: { pubkey: KEY } }),
    at: 'certificates:',
  },
  'chain-without-ignore-sct': {
    bad: certificates({ rekor: { ignoreTlog: true } }),
    good: certificates({ rekor: { ignoreTlog: true }, ctlog: { pubkey: KEY } }),
    at: 'certificates:',
  },
  'second-key-ignored': {
    bad: entry({ keys: { publicKeys: KEY + KEY, ...IGNORES } }),
    good: element({ attestors: [{ entries: [{ keys: { publicKeys: KEY + KEY, ...IGNORES } }] }] }),
    at: 'publicKeys:',
  },
  'annotations-never-match': {
    bad: entry({ ...keys, annotations: { env: 'prod' } }),
    good: element({ attestors: [{ entries: [{ ...keys, annotations: { env: 'prod' } }] }] }),
    at: 'annotations:',
  },
  'any-identity': { bad: entry({ keyless: REKOR }), good: keyless({}), at: 'keyless:' },
  'unknown-extension': {
    bad: keyless({ additionalExtensions: { githubWorkflow: 'release' } }),
    good: keyless({ additionalExtensions: { githubWorkflowName: 'release' } }),
    at: 'githubWorkflow: release',
  },
  'expression-not-anchored': {
    bad: keyless({ subjectRegExp: '^https://ci\\.example\\.com/|^x$' }),
    good: keyless({ subjectRegExp: '^https://ci\\.example\\.com/(a|b)$', issuerRegExp: '.*' }),
    at: 'subjectRegExp:',
  },
  'expression-invalid': { bad: keyless({ issuerRegExp: '(?=x)' }), good: keyless({}), at: 'issuerRegExp:' },
  'bundle-attestor-impossible': {
    bad: keyless({ ctlog: { ignoreSCT: true } }, 'SigstoreBundle'),
    good: keyless({ ctlog: { ignoreSCT: false } }, 'SigstoreBundle'),
    at: 'ignoreSCT: true',
  },
  'bundle-wildcard': {
    bad: keyless({ subject: 'https://ci.example.com/*' }, 'SigstoreBundle'),
    good: keyless({ subject: 'https://ci.example.com/*' }),
    at: 'subject: https://ci.example.com/*',
  },
  'field-ignored': {
    bad: keyless({ roots: 'PEM' }, 'SigstoreBundle'),
    good: keyless({ roots: 'PEM' }),
    at: 'roots: PEM',
  },
  'versioned-predicate-type': {
    bad: attestation({ type: `${SBOM}/v1.6` }),
    good: SOUND,
    at: `type: ${SBOM}/v1.6`,
  },
  'provenance-any-builder': {
    bad: attestation({ type: PROVENANCE }),
    good: attestation({ type: PROVENANCE, conditions: BUILDER }),
    at: `type: ${PROVENANCE}`,
  },
  'deny-on-some-elements': {
    bad: elements({}, { validate: { deny: { conditions: { all: [] } } } }),
    good: elements({}, {}),
    at: 'verifyImages:',
  },
  'static-pass': { bad: clusterImage('pass'), good: clusterImage('fail'), at: 'action: pass' },
};
