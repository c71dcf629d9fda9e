import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import type { RawEvidence } from '#model/evidence.ts';
import { parseImageRef } from '#model/image-ref.ts';
import { compilePolicies } from '#policy/load.ts';
import type { LocationContent } from '#policy/policy.ts';
import type { TrustedRoot } from '#verification/trusted-root.ts';
import { SUBJECT } from './signed-evidence.ts';

export interface PolicySpec {
  readonly name?: string;
  /** Members of the one element of `verifyImages`, over sound defaults. */
  readonly element?: Readonly<Record<string, unknown>>;
  readonly rule?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A ClusterPolicy with one rule and one element, as YAML; it wants SLSA provenance by the given attestors. */
export function clusterPolicy(attestors: readonly object[], { name, element, rule, spec }: PolicySpec = {}): string {
  return stringify({
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name: name ?? 'check-image' },
    spec: {
      validationFailureAction: 'Enforce',
      rules: [
        {
          name: 'check',
          match: { any: [{ resources: { kinds: ['Pod'] } }] },
          verifyImages: [
            {
              imageReferences: ['registry.test/*'],
              attestations: [{ type: 'https://slsa.dev/provenance/v1', attestors }],
              ...element,
            },
          ],
          ...rule,
        },
      ],
      ...spec,
    },
  });
}

/** An attestor set of `certChain` entries, both ignores set. */
export function chainSet(chains: readonly string[], count?: number): object {
  return {
    ...(count === undefined ? {} : { count }),
    entries: chains.map((certChain) => ({
      certificates: { certChain, rekor: { ignoreTlog: true }, ctlog: { ignoreSCT: true } },
    })),
  };
}

/** A policy whose one attestation has conditions. */
export function conditionedPolicy(certChain: string, conditions: readonly object[]): string {
  const attestation = { type: 'https://slsa.dev/provenance/v1', attestors: [chainSet([certChain])], conditions };
  return clusterPolicy([], { element: { attestations: [attestation] } });
}

export interface Situation {
  readonly image?: string;
  readonly evidence?: readonly RawEvidence[];
  readonly content?: LocationContent;
  /** What the admission controller's Sigstore client trusts. */
  readonly root?: TrustedRoot;
}

/** Judges an image under the one policy of a text; every location that is read must have been announced. */
export function judgeUnder(text: string, { image, evidence = [], content, root }: Situation = {}) {
  const [policy, ...more] = compilePolicies(text, {
    source: 'dir/policy.yaml',
    ...(root ? { sigstoreRoot: () => root } : {}),
  });
  assert.ok(policy);
  assert.equal(more.length, 0);
  const asked: string[] = [];
  const ref = parseImageRef(image ?? 'registry.test/team/app:1.0');
  const { locations, listed = [] } = policy.needs(ref, SUBJECT);
  const announced = [...locations, ...listed].map(({ registry, repository }) => `${registry}/${repository}`);
  const verdict = policy.evaluate({
    image: ref,
    digest: SUBJECT,
    now: new Date('2026-01-01T00:00:00Z'),
    content({ registry, repository }) {
      asked.push(`${registry}/${repository}`);
      return content ?? { ok: true, evidence: evidence };
    },
  });
  assert.ok(asked.every((location) => announced.includes(location)));
  const codes = verdict.reasons.map(({ code }) => code);
  return { ...verdict, codes, announced, clauses: verdict.reasons.map(({ clause }) => clause) };
}
