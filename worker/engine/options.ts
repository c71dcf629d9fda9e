import * as z from 'zod';
import type { Rule } from '#model/rule.ts';
import { Id, oneOrMore, Pattern } from '#model/settings.ts';
import { VERIFIERS } from '#model/verifier.ts';
import { BuilderOptions, EvidenceOptions } from '#predicates/options.ts';

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
    evidence: z
      .array(EvidenceOptions)
      .max(128)
      .default([])
      .describe('What is made, signed and attached when missing, and what may be handed in.'),
    policies: oneOrMore(Id, 100, 0).prefault([]).describe('Ids of the policies that judge the image.'),
    when: z
      .strictObject({
        source: patterns.describe('Id of the source of the push, or api.'),
        actor: patterns.describe('Who pushed; known only from a source that authenticates its deliveries.'),
        tag: patterns.describe('The tag that was pushed.'),
        builder: BuilderOptions.exactOptional().describe('Provenance that the image must carry.'),
      })
      .exactOptional()
      .describe('What must hold before anything is signed. Not met: the image is verified, nothing is signed.'),
    onLapse: z
      .enum(['attest', 'alert'])
      .default('attest')
      .describe('When own evidence lapses: attest makes it anew, alert leaves it and tells.'),
    hiding: z
      .enum(['refuse', 'warn'])
      .default('refuse')
      .describe(
        'A first bundle hides what stands at cosign tags from cosign 3 and ImageValidatingPolicy. refuse: it is not attached where that is evidence of others. warn: it is, and the event tells.',
      ),
    verifiers: oneOrMore(z.enum(VERIFIERS), VERIFIERS.length, 0)
      .prefault([])
      .describe('Verifiers that shall be able to read the evidence, beside those of the policies: checked beforehand.'),
  })
  .transform((given): Rule => given);
export type RuleOptions = z.output<typeof RuleOptions>;
