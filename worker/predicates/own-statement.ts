import type { Digest } from '#model/digest.ts';
import type { Statement } from '#model/evidence.ts';
import { formatRepositoryRef, type RepositoryRef } from '#model/image-ref.ts';
import { SLSA_PROVENANCE_V1 } from '#model/media-types.ts';
import { TOOL_NAME } from '#model/tool.ts';
import { isObserverBuilderId, type ObserverBuilderId } from '#predicates/observer.ts';
import { type ProvenanceInput, provenancePredicate } from '#predicates/provenance.ts';

import { statementBytes } from '#predicates/statement.ts';
import { isVerifierId, verifierId } from '#predicates/verification-summary.ts';

/** What our SBOMs in SPDX name as their creator begins with. */
const SPDX_TOOL = `Tool: ${TOOL_NAME}-`;

export interface SbomStatementInput {
  readonly repository: RepositoryRef;
  readonly digest: Digest;
  readonly predicateType: string;
  /** A CycloneDX or SPDX document as rendered. */
  readonly bom: object;
}

/** The statement that carries an SBOM. @throws AppError `usage` when it cannot be written. */
export function sbomStatement({ repository, digest, predicateType, bom }: SbomStatementInput): Uint8Array {
  return statementBytes({
    subjectName: formatRepositoryRef(repository),
    subjectDigest: digest,
    predicateType,
    predicate: bom,
  });
}

/** The statement that carries the provenance of `subject`. */
export function provenanceStatement(input: ProvenanceInput, predicateType: string = SLSA_PROVENANCE_V1): Uint8Array {
  const { image } = input.subject;
  return statementBytes({
    subjectName: formatRepositoryRef(image),
    subjectDigest: image.digest,
    predicateType,
    predicate: provenancePredicate(input),
  });
}

/**
 * Whether a statement is one that this program makes: provenance under the builder id of an observer, a
 * summary of its verifier, or an SBOM made by our tool. `builderIds` are those of this installation; absent: any observer's. A claim like any other: only with a signature of this installation does it make the statement ours.
 *
 * Such a statement is superseded when its bytes differ from what `sbomStatement` or `provenanceStatement` make of the
 * same repository, digest and configuration with this version: the bytes are a function of nothing else.
 */
export function isOurs(statement: Statement, builderIds?: readonly ObserverBuilderId[]): boolean {
  const { predicate } = statement;
  const builder = member(member(member(predicate, 'runDetails'), 'builder'), 'id');
  if (typeof builder === 'string') {
    return builderIds ? builderIds.some((id) => id === builder) : isObserverBuilderId(builder);
  }
  const verifier = member(member(predicate, 'verifier'), 'id');
  if (typeof verifier === 'string') {
    return builderIds ? builderIds.some((id) => verifierId(id) === verifier) : isVerifierId(verifier);
  }
  const creators = member(member(predicate, 'creationInfo'), 'creators');
  if (Array.isArray(creators)) return creators.some((each) => typeof each === 'string' && each.startsWith(SPDX_TOOL));
  if (member(predicate, 'bomFormat') !== 'CycloneDX') return false;
  const tools = member(member(member(predicate, 'metadata'), 'tools'), 'components');
  return Array.isArray(tools) && tools.some((tool) => member(tool, 'name') === TOOL_NAME);
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
