import { DEFAULT_PREDICATE_TYPES } from '#model/evidence-type.ts';

/** A predicate as a scanner, a test run or a person would hand it in. */
export interface GivenSample {
  readonly name: string;
  readonly predicateType: string;
  readonly predicate: object;
}

const METADATA = { scanStartedOn: '2026-05-01T08:00:00Z', scanFinishedOn: '2026-05-01T08:01:30.5Z' };

export const TEST_RESULT_SAMPLE = {
  result: 'PASSED',
  configuration: [{ name: 'ci.yml', digest: { gitBlob: 'ebe4add40f63c3c98bc9b32ff1e736f04120b023' } }],
  url: 'https://ci.example.com/runs/7',
  passedTests: ['unit', 'integration'],
  warnedTests: [],
  failedTests: [],
};

export const OPENVEX_SAMPLE = {
  '@context': 'https://openvex.dev/ns/v0.2.0',
  '@id': 'https://example.com/vex/2026-1',
  author: 'security@example.com',
  timestamp: '2026-05-01T08:00:00Z',
  version: 1,
  statements: [
    {
      vulnerability: { name: 'CVE-2026-0001' },
      products: [{ '@id': 'pkg:oci/app@sha256%3Aabc' }],
      status: 'not_affected',
      justification: 'component_not_present',
    },
    { vulnerability: { name: 'CVE-2026-0002' }, status: 'affected', action_statement: 'update to 1.2' },
    { vulnerability: { name: 'CVE-2026-0003' }, status: 'under_investigation' },
  ],
};

/** One sound predicate of each type whose form is known. */
export const GIVEN: readonly GivenSample[] = [
  {
    name: 'vuln',
    predicateType: DEFAULT_PREDICATE_TYPES.vuln,
    predicate: {
      invocation: { parameters: [], uri: 'https://ci.example.com/runs/7', event_id: '7', 'builder.id': 'ci' },
      scanner: {
        uri: 'pkg:github/aquasecurity/trivy@0.74',
        version: '0.74',
        db: { uri: 'ghcr.io/db', version: '2', lastUpdate: '2026-05-01T00:00:00Z' },
        result: { Results: [] },
      },
      metadata: METADATA,
    },
  },
  {
    name: 'vulns',
    predicateType: DEFAULT_PREDICATE_TYPES.vulns,
    predicate: {
      scanner: {
        uri: 'pkg:github/anchore/grype@0.90',
        db: { lastUpdate: '2026-05-01T00:00:00Z' },
        result: [
          { id: 'CVE-2026-0001', severity: [{ method: 'nvd', score: 'medium' }] },
          { vulnerability: { id: 'CVE-2026-0002', severity: [{ method: 'cvss', score: '5.2' }] } },
        ],
      },
      metadata: METADATA,
    },
  },
  { name: 'test-result', predicateType: DEFAULT_PREDICATE_TYPES['test-result'], predicate: TEST_RESULT_SAMPLE },
  { name: 'openvex', predicateType: DEFAULT_PREDICATE_TYPES.openvex, predicate: OPENVEX_SAMPLE },
  { name: 'openvex 0.2.0', predicateType: 'https://openvex.dev/ns/v0.2.0', predicate: OPENVEX_SAMPLE },
  {
    name: 'link',
    predicateType: DEFAULT_PREDICATE_TYPES.link,
    predicate: {
      name: 'build',
      materials: { Dockerfile: { sha256: 'ab' } },
      products: {},
      byproducts: {},
      command: ['make'],
    },
  },
  {
    name: 'link 0.3',
    predicateType: 'https://in-toto.io/attestation/link/v0.3',
    predicate: { name: 'build', materials: [{ uri: 'git+https://example.com/app' }] },
  },
  {
    name: 'cyclonedx',
    predicateType: DEFAULT_PREDICATE_TYPES.cyclonedx,
    predicate: { bomFormat: 'CycloneDX', specVersion: '1.6' },
  },
  {
    name: 'spdxjson',
    predicateType: DEFAULT_PREDICATE_TYPES.spdxjson,
    predicate: { spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT', name: 'app' },
  },
  {
    name: 'slsaprovenance1',
    predicateType: DEFAULT_PREDICATE_TYPES.slsaprovenance1,
    predicate: {
      buildDefinition: { buildType: 'https://example.com/build', externalParameters: {} },
      runDetails: { builder: { id: 'https://ci.example.com/builder' } },
    },
  },
  {
    name: 'slsaprovenance',
    predicateType: 'https://slsa.dev/provenance/v0.2',
    predicate: {
      builder: { id: 'https://ci.example.com/builder' },
      buildType: 'https://example.com/build',
      invocation: {
        configSource: { uri: 'git+https://example.com/app', digest: { sha1: 'ab' }, entryPoint: 'Dockerfile' },
        parameters: { target: 'release' },
        environment: { platform: 'linux/amd64' },
      },
      metadata: {
        buildInvocationID: '7',
        buildStartedOn: '2026-05-01T08:00:00Z',
        completeness: { parameters: true, environment: false, materials: false },
        reproducible: false,
      },
      materials: [{ uri: 'pkg:docker/debian@13', digest: { sha256: 'ab' } }],
    },
  },
  {
    name: 'vsa',
    predicateType: DEFAULT_PREDICATE_TYPES.vsa,
    predicate: {
      verifier: { id: 'https://example.com/verifier' },
      resourceUri: 'oci://registry.example.com/app',
      policy: { uri: 'https://example.com/policy', digest: { sha256: 'ab' } },
      verificationResult: 'PASSED',
      verifiedLevels: ['SLSA_BUILD_LEVEL_2'],
    },
  },
];
