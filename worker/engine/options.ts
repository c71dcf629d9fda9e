import * as z from 'zod';
import { DEFAULT_PREDICATE_TYPES, EVIDENCE_TYPES, type EvidenceRule, type Rule } from '#model/rule.ts';
import { Id, oneOrMore, Pattern, RepositoryName, Uri } from '#model/settings.ts';

const EvidenceOptions = z
  .strictObject({
    type: z.enum(EVIDENCE_TYPES).describe('cyclonedx: an SBOM. slsaprovenance1: provenance, as observed.'),
    predicateType: Uri.exactOptional().describe(
      'Exact predicateType; policies compare it as a string. Default: https://cyclonedx.org/bom, https://slsa.dev/provenance/v1.',
    ),
    layout: z.enum(['cosign-tag']).default('cosign-tag').describe('cosign-tag: the .att tag that Kyverno reads.'),
    signer: Id.describe('Id of the signer.'),
    repository: RepositoryName.exactOptional().describe(
      "Repository that holds the evidence; absent: the image's own repository.",
    ),
    trust: Id.exactOptional().describe("Id of a trust that decides what counts as present; absent: the signer's own."),
    platforms: z
      .boolean()
      .exactOptional()
      .describe('For an index, also on each platform image. Default: true for cyclonedx, false for slsaprovenance1.'),
  })
  .transform(
    (given): EvidenceRule => ({
      ...given,
      predicateType: given.predicateType ?? DEFAULT_PREDICATE_TYPES[given.type],
      platforms: given.platforms ?? given.type === 'cyclonedx',
    }),
  );

const patterns = oneOrMore(Pattern, 1000).exactOptional();

/** One rule: which images, which evidence, under which policies. The first rule that matches an image holds. */
export const RuleOptions = z
  .strictObject({
    name: Id.describe('Name of the rule, in events and in explanations.'),
    match: z
      .strictObject({
        registry: patterns.describe('Pattern or list: the registry by its configured name.'),
        repository: patterns.describe('Pattern or list: the repository path.'),
        tag: patterns.describe('Pattern or list. A rule with tag never matches an untagged push.'),
      })
      .prefault({})
      .describe('Every member that is present must match; without members the rule matches every image.'),
    evidence: z.array(EvidenceOptions).max(32).default([]).describe('What is made, signed and attached when missing.'),
    policies: oneOrMore(Id, 100, 0).prefault([]).describe('Ids of the policies that judge the image.'),
    when: z
      .strictObject({
        source: patterns.describe('Id of the source of the push, or api.'),
        actor: patterns.describe('Who pushed; known only from a source that authenticates its deliveries.'),
        tag: patterns.describe('The tag that was pushed.'),
      })
      .exactOptional()
      .describe('What must hold before anything is signed. Not met: the image is verified, nothing is signed.'),
    onLapse: z
      .enum(['attest', 'alert'])
      .default('attest')
      .describe('When own evidence lapses: attest makes it anew, alert leaves it and tells.'),
  })
  .transform((given): Rule => given);
export type RuleOptions = z.output<typeof RuleOptions>;
