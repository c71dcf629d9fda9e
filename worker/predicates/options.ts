import * as z from 'zod';
import {
  DEFAULT_PREDICATE_TYPES,
  EVIDENCE_TYPES,
  type EvidenceType,
  givenTypeOf,
  isMadeType,
  isOfFamily,
} from '#model/evidence-type.ts';
import { LAYOUT_CHOICES } from '#model/layout-choice.ts';
import { COSIGN_SIGN, SLSA_PROVENANCE, SLSA_VSA } from '#model/media-types.ts';
import type { EvidenceRule, ImportRule, PromoteRule } from '#model/rule.ts';
import { duration, Id, oneOrMore, Pattern, RepositoryName, Uri } from '#model/settings.ts';

interface Complaint {
  readonly message: string;
  readonly mend: string;
}

/** Names of cosign's that are none here, and why. */
const NOT_TAKEN: Readonly<Record<string, string>> = {
  spdx: 'its predicate is a text, which strict verifiers refuse; write spdxjson',
  slsaprovenance: 'provenance is observed or taken over, never handed in; write slsaprovenance1, with import',
  slsaprovenance02: 'provenance is observed or taken over, never handed in; write slsaprovenance1, with import',
};

function typeProblem(text: string): Complaint | undefined {
  if (EVIDENCE_TYPES.some((type) => type === text)) return undefined;
  const why = Object.hasOwn(NOT_TAKEN, text) ? NOT_TAKEN[text] : undefined;
  if (why !== undefined) return { message: `evidence of type ${text} is not signed`, mend: why };
  const mend = `write one of ${EVIDENCE_TYPES.join(', ')}, or the URI of a predicateType that may be handed in`;
  if (!Uri.safeParse(text).success) return { message: `"${text.slice(0, 80)}" is no type of evidence`, mend };
  return uriProblem(text);
}

/** What only we may say of an image must not be signed for whoever hands it in. */
function uriProblem(uri: string): Complaint | undefined {
  if (isOfFamily(uri, SLSA_PROVENANCE)) {
    return { message: 'provenance cannot be handed in', mend: 'write slsaprovenance1, and predicateType beside it' };
  }
  if (uri === COSIGN_SIGN) {
    return { message: 'a signature of the image cannot be handed in', mend: 'name another type' };
  }
  if (isOfFamily(uri, SLSA_VSA)) {
    return { message: 'a verification summary cannot be handed in', mend: 'write vsa' };
  }
  return undefined;
}

const Type = z.string().superRefine((text, context) => {
  const complaint = typeProblem(text);
  if (complaint) context.addIssue({ code: 'custom', message: complaint.message, params: { mend: complaint.mend } });
});

const importSigner = Id.describe('Id of the signer of what is taken over: another one than signer.');

const ImportOptions = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('buildkit'), signer: importSigner }),
  z.strictObject({
    from: z.literal('github'),
    signer: importSigner,
    trust: Id.describe('Id of the trust under which the bundle must hold.'),
  }),
  z.strictObject({
    from: z.literal('tekton'),
    signer: importSigner,
    trust: Id.describe('Id of the trust under which the attestation must hold.'),
  }),
]);

const PromoteOptions = z.strictObject({
  from: oneOrMore(Pattern, 100).describe(
    'registry/path, by the configured name of the registry; with * and ** those where the same digest was seen.',
  ),
  otherwise: z
    .enum(['make', 'refuse'])
    .default('make')
    .describe('Where no such evidence holds: make it here, or leave the image without.'),
});

const VerifiedLevel = z
  .string()
  .min(1)
  .max(200)
  .superRefine((level, context) => {
    if (!level.startsWith('SLSA_') && level !== 'FAILED') return;
    const message = `the level ${level} is not ours to give: levels of SLSA are evaluated, not configured`;
    context.addIssue({ code: 'custom', message, params: { mend: 'write a name of your own, e.g. EXAMPLE_TESTED' } });
  });

/** One piece of evidence that a rule wants, or lets be handed in. */
export const EvidenceOptions = z
  .strictObject({
    type: Type.describe(
      'Made here: cyclonedx, spdxjson, slsaprovenance1 (provenance, as observed), vsa (what the policies of the rule say). Handed in: vuln, vulns, test-result, openvex, link, custom, or the URI of any other predicateType.',
    ),
    predicateType: Uri.exactOptional().describe(
      'Exact predicateType; policies compare it as a string. Default: that of the type, see the guide of evidence.',
    ),
    layout: z
      .enum(LAYOUT_CHOICES)
      .exactOptional()
      .describe(
        "cosign-tag: cosign's tags .att and .sig. bundle: a Sigstore bundle as referrer. both: one signature in both. Default: cosign-tag for a certificate of a private CA, both for keys and keyless signers.",
      ),
    signer: Id.describe('Id of the signer.'),
    repository: RepositoryName.exactOptional().describe(
      "Repository that holds the evidence; absent: the image's own repository.",
    ),
    trust: Id.exactOptional().describe("Id of a trust that decides what counts as present; absent: the signer's own."),
    platforms: z
      .boolean()
      .exactOptional()
      .describe('For an index, also on each platform image. Default: true for SBOMs, false for the others.'),
    import: oneOrMore(ImportOptions, 10)
      .exactOptional()
      .describe('slsaprovenance1 only: provenance of others that is signed as it is, where it is found and holds.'),
    promote: PromoteOptions.exactOptional().describe(
      'Evidence of the same digest in these repositories is copied where it holds, and none is made.',
    ),
    replace: z
      .boolean()
      .exactOptional()
      .describe(
        'What is handed in only: whether it takes the place of what the signer signed of this type before. Default: true.',
      ),
    verifiedLevels: oneOrMore(VerifiedLevel, 20)
      .exactOptional()
      .describe('vsa only: what a pass attests beside SLSA_BUILD_LEVEL_UNEVALUATED.'),
  })
  .superRefine((given, context) => {
    const type = typeOf(given.type);
    for (const { key, message, mend } of misplaced(given, type)) {
      context.addIssue({ code: 'custom', path: [key], message, params: { mend } });
    }
  })
  .transform((given): EvidenceRule => {
    const type = typeOf(given.type);
    const uri = type === given.type ? DEFAULT_PREDICATE_TYPES[type] : given.type;
    return {
      ...given,
      type,
      predicateType: given.predicateType ?? uri,
      platforms: given.platforms ?? (type === 'cyclonedx' || type === 'spdxjson'),
    };
  });

function typeOf(text: string): EvidenceType {
  return EVIDENCE_TYPES.find((type) => type === text) ?? givenTypeOf(text);
}

interface Given {
  readonly type: string;
  readonly predicateType?: string;
  readonly signer: string;
  readonly platforms?: boolean;
  readonly import?: readonly ImportRule[];
  readonly promote?: PromoteRule;
  readonly replace?: boolean;
  readonly verifiedLevels?: readonly string[];
}

function misplaced(given: Given, type: EvidenceType): readonly (Complaint & { readonly key: string })[] {
  const remove = (key: string) => `remove ${key}`;
  const found: (Complaint & { readonly key: string })[] = [];
  const only = (key: keyof Given, holds: boolean, of: string) => {
    if (given[key] === undefined || holds) return;
    found.push({ key, message: `${key} is for ${of} only`, mend: remove(key) });
  };
  only('import', type === 'slsaprovenance1', 'slsaprovenance1');
  only('replace', !isMadeType(type), 'what is handed in');
  only('promote', isMadeType(type) && type !== 'vsa', 'what is made of the image');
  only('verifiedLevels', type === 'vsa', 'vsa');
  only('platforms', isMadeType(type) && type !== 'vsa', 'what is made of each platform');
  if (!isMadeType(type) && given.predicateType !== undefined) {
    const problem = given.type === type ? uriProblem(given.predicateType) : undefined;
    if (problem) found.push({ key: 'predicateType', ...problem });
    else if (given.type !== type) {
      found.push({ key: 'predicateType', message: 'type is a predicateType already', mend: remove('predicateType') });
    }
  }
  if (given.import?.some(({ signer }) => signer === given.signer)) {
    found.push({
      key: 'import',
      message: 'what is taken over is signed by the signer of what is made here',
      mend: 'name another signer: its signature says that a statement was there, not that it is true',
    });
  }
  return found;
}

/** Provenance that must be there before anything is signed. */
export const BuilderOptions = z.strictObject({
  trust: Id.describe('Id of the trust under which the provenance must hold.'),
  builderId: oneOrMore(Pattern, 100).describe('Pattern or list: builder.id of the provenance.'),
  wait: duration('1s', '1h')
    .prefault('10m')
    .describe('How long after a push it may still come: builders attest after they push. Then it is refused.'),
});
