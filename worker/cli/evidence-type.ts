import { AppError } from '#model/errors.ts';
import {
  DEFAULT_PREDICATE_TYPES,
  type EvidenceType,
  givenTypeOf,
  isOfFamily,
  predicateTypeNamed,
  TYPE_NAMES,
} from '#model/evidence-type.ts';

export interface RequestedType {
  readonly type: EvidenceType;
  readonly predicateType: string;
}

/** What is made of an image itself. */
const OF_IMAGE = ['cyclonedx', 'spdxjson', 'slsaprovenance1', 'signature'] as const;

/**
 * What `attest --type` asks to be made: cosign's name, or a predicateType URI of the same kind
 * (`https://cyclonedx.org/bom/v1.6`).
 * @throws AppError `usage` for what cannot be made.
 */
export function requestedType(text: string): RequestedType {
  const alias = OF_IMAGE.find((type) => type === text);
  if (alias) return { type: alias, predicateType: DEFAULT_PREDICATE_TYPES[alias] };
  const family = OF_IMAGE.find((type) => isOfFamily(text, DEFAULT_PREDICATE_TYPES[type]));
  if (family) return { type: family, predicateType: text };
  throw new AppError('usage', `--type ${text}: evidence of this type cannot be made`, {
    mend: `use ${OF_IMAGE.join(', ')}, or a predicateType URI such as https://cyclonedx.org/bom/v1.6; hand others in with --predicate FILE`,
  });
}

/** What `attest --type` with `--predicate` means. @throws AppError `usage`. */
export function givenType(text: string): RequestedType {
  const predicateType = predicateTypeOf(text);
  const made = [...OF_IMAGE, 'vsa' as const].find((type) => isOfFamily(predicateType, DEFAULT_PREDICATE_TYPES[type]));
  return { type: made ?? givenTypeOf(predicateType), predicateType };
}

/** The predicateType of a name of cosign's `--type`, or the URI itself. @throws AppError `usage`. */
export function predicateTypeOf(text: string): string {
  const known = predicateTypeNamed(text);
  if (known !== undefined) return known;
  throw new AppError('usage', `--type ${text}: neither a known type nor a predicateType URI`, {
    mend: `use ${TYPE_NAMES.join(', ')}, or a URI`,
  });
}
