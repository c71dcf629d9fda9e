import * as z from 'zod/mini';
import {
  COSIGN_VULN,
  IN_TOTO_LINK,
  OPENVEX,
  SLSA_PROVENANCE_V1,
  SLSA_PROVENANCE_V02,
  SLSA_VSA_V1,
  SPDX,
  TEST_RESULT,
  VULNS_V01,
} from '#model/media-types.ts';

const text = z.string().check(z.minLength(1));
const time = z
  .string()
  .check(
    z.regex(
      /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/,
      'not a time as RFC 3339 writes it, e.g. 2026-01-02T03:04:05Z',
    ),
  );
const object = z.looseObject({});
const digests = z.record(z.string(), z.string());
const scanned = z.looseObject({ scanStartedOn: time, scanFinishedOn: time });

/** cosign's vulnerability record: what the scanner said is left to the scanner. */
const Vuln = z.looseObject({
  invocation: z.optional(object),
  scanner: z.looseObject({
    uri: text,
    version: z.optional(z.string()),
    db: z.optional(z.looseObject({ lastUpdate: z.optional(time) })),
    result: object,
  }),
  metadata: scanned,
});

const Severity = z.looseObject({ method: text, score: z.union([z.string(), z.number()]) });
const Found = z.looseObject({ id: text, severity: z.optional(z.array(Severity)) });
/** The specification nests the finding in `vulnerability`, its example does not. */
const Vulns = z.looseObject({
  scanner: z.looseObject({
    uri: text,
    version: z.optional(z.string()),
    db: z.looseObject({ lastUpdate: time }),
    result: z.array(z.union([Found, z.looseObject({ vulnerability: Found })])),
  }),
  metadata: scanned,
});

const Resource = z
  .looseObject({
    name: z.optional(text),
    uri: z.optional(text),
    digest: z.optional(digests),
    content: z.optional(text),
    downloadLocation: z.optional(text),
  })
  .check(
    z.refine(
      (given) => [given.uri, given.digest, given.content].some((each) => each !== undefined),
      'has neither uri, digest nor content',
    ),
  );

const names = z.optional(z.array(z.string()));
const TestResult = z.looseObject({
  result: z.enum(['PASSED', 'WARNED', 'FAILED']),
  configuration: z.array(Resource),
  url: z.optional(text),
  passedTests: names,
  warnedTests: names,
  failedTests: names,
});

const Component = z.looseObject({ '@id': z.optional(text), identifiers: z.optional(object) });
const VexStatement = z
  .looseObject({
    vulnerability: z.union([text, z.looseObject({ name: text })]),
    status: z.enum(['not_affected', 'affected', 'fixed', 'under_investigation']),
    products: z.optional(z.array(z.union([text, Component]))),
    timestamp: z.optional(time),
    justification: z.optional(
      z.enum([
        'component_not_present',
        'vulnerable_code_not_present',
        'vulnerable_code_not_in_execute_path',
        'vulnerable_code_cannot_be_controlled_by_adversary',
        'inline_mitigations_already_exist',
      ]),
    ),
    impact_statement: z.optional(text),
    action_statement: z.optional(text),
  })
  .check(
    z.refine(
      ({ status, justification, impact_statement: impact }) =>
        status !== 'not_affected' || justification !== undefined || impact !== undefined,
      'says not_affected and neither justification nor impact_statement',
    ),
    z.refine(
      ({ status, action_statement: action }) => status !== 'affected' || action !== undefined,
      'says affected and no action_statement',
    ),
  );

const OpenVex = z.looseObject({
  '@context': z.string().check(z.startsWith(OPENVEX, `is not ${OPENVEX} or a version of it`)),
  '@id': text,
  author: text,
  timestamp: time,
  version: z.union([z.int().check(z.minimum(1)), text]),
  statements: z.array(VexStatement).check(z.minLength(1)),
});

const hashes = z.optional(z.record(z.string(), digests));
/** The older form, the one that cosign reads: digests by path. */
const Link = z.looseObject({
  name: text,
  materials: hashes,
  products: hashes,
  byproducts: z.optional(object),
  command: z.optional(z.array(z.string())),
  environment: z.optional(object),
});

const LinkOfResources = z.looseObject({
  name: text,
  materials: z.optional(z.array(Resource)),
  byproducts: z.optional(object),
  command: z.optional(z.array(z.string())),
  environment: z.optional(object),
});

const CycloneDx = z.looseObject({ bomFormat: z.literal('CycloneDX'), specVersion: text });
const Spdx = z.looseObject({ spdxVersion: text, SPDXID: text, name: text });

const Provenance = z.looseObject({
  buildDefinition: z.looseObject({ buildType: text, externalParameters: object }),
  runDetails: z.looseObject({ builder: z.looseObject({ id: text }) }),
});

const flag = z.optional(z.boolean());
const Material = z.looseObject({ uri: z.optional(text), digest: z.optional(digests) });
/** The older form, which BuildKit and Tekton Chains still write. */
const ProvenanceV02 = z.looseObject({
  builder: z.looseObject({ id: text }),
  buildType: text,
  invocation: z.optional(
    z.looseObject({
      configSource: z.optional(z.looseObject({ ...Material.def.shape, entryPoint: z.optional(z.string()) })),
      parameters: z.optional(object),
      environment: z.optional(object),
    }),
  ),
  buildConfig: z.optional(object),
  metadata: z.optional(
    z.looseObject({
      buildInvocationId: z.optional(z.string()),
      buildInvocationID: z.optional(z.string()),
      buildStartedOn: z.optional(time),
      buildFinishedOn: z.optional(time),
      completeness: z.optional(z.looseObject({ parameters: flag, environment: flag, materials: flag })),
      reproducible: flag,
    }),
  ),
  materials: z.optional(z.array(Material)),
});

const Summary = z
  .looseObject({
    verifier: z.looseObject({ id: text }),
    timeVerified: z.optional(time),
    resourceUri: text,
    policy: z.looseObject({ uri: text, digest: z.optional(digests) }),
    verificationResult: z.enum(['PASSED', 'FAILED']),
    verifiedLevels: z.array(text),
  })
  .check(
    z.refine(
      ({ verificationResult: result, verifiedLevels: levels }) =>
        result === 'PASSED' ? !levels.includes('FAILED') : levels.length === 1 && levels[0] === 'FAILED',
      'has verifiedLevels that its verificationResult does not allow',
    ),
  );

/** The predicateTypes whose form is known. A version that is not here is not judged by the form of another one. */
export const FORMS: readonly {
  readonly types: RegExp | readonly string[];
  readonly form: z.ZodMiniType;
  readonly see: string;
}[] = [
  { types: [COSIGN_VULN], form: Vuln, see: "cosign's vulnerability record" },
  { types: [VULNS_V01, 'https://in-toto.io/attestation/vulns/v0.2'], form: Vulns, see: "in-toto's predicate vulns" },
  { types: [TEST_RESULT], form: TestResult, see: "in-toto's predicate test-result" },
  { types: /^https:\/\/openvex\.dev\/ns(?:\/v0\.[0-9.]+)?$/, form: OpenVex, see: 'the OpenVEX specification' },
  { types: [IN_TOTO_LINK], form: Link, see: "in-toto's link of version 1" },
  { types: ['https://in-toto.io/attestation/link/v0.3'], form: LinkOfResources, see: "in-toto's predicate link" },
  { types: /^https:\/\/cyclonedx\.org\/bom(?:\/v?1\.[0-9]+)?$/, form: CycloneDx, see: 'the CycloneDX specification' },
  { types: [SPDX, `${SPDX}/v2.2`, `${SPDX}/v2.3`], form: Spdx, see: 'the SPDX specification 2.3' },
  { types: [SLSA_PROVENANCE_V02], form: ProvenanceV02, see: 'SLSA provenance v0.2' },
  { types: [SLSA_PROVENANCE_V1], form: Provenance, see: 'SLSA provenance v1' },
  { types: [SLSA_VSA_V1], form: Summary, see: 'SLSA verification summary v1' },
];
