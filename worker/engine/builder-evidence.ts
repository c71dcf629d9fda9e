import { heldStatements, readAttached } from '#engine/attached-evidence.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import { knowingRevocation } from '#engine/revocation.ts';
import type { Digest } from '#model/digest.ts';
import type { Statement } from '#model/evidence.ts';
import { isOfFamily } from '#model/evidence-type.ts';
import { SLSA_PROVENANCE } from '#model/media-types.ts';
import { listed, matchesAny } from '#model/rule.ts';
import type { Subject } from '#model/subject.ts';
import { isOurs } from '#predicates/own-statement.ts';
import type { Attestor } from '#verification/attestor.ts';

/** Provenance that an image must carry before anything of it is signed. */
export interface BuilderGate {
  /** Under whom it must hold. */
  readonly attestor: Attestor;
  /** How messages call that trust. */
  readonly trust: string;
  /** Patterns, one of which `builder.id` must match. */
  readonly builderId: readonly string[];
}

/**
 * Why an image does not carry the verified provenance of a wanted builder, in words; undefined when it does. It must be
 * on the image itself; for an index, else on every platform image. What nobody signed, as BuildKit's, never counts, and
 * neither does what we observed.
 * @throws AppError the registry errors.
 */
export async function builderUnmet(
  subject: Subject,
  gate: BuilderGate,
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const missing = await missingOn(subject, subject.descriptor.digest, gate, ports, signal);
  if (missing === undefined || subject.kind === 'image' || subject.platforms.length === 0) return missing;
  for (const { descriptor } of subject.platforms) {
    if ((await missingOn(subject, descriptor.digest, gate, ports, signal)) !== undefined) return missing;
  }
  return undefined;
}

async function missingOn(
  subject: Subject,
  digest: Digest,
  { attestor, trust, builderId }: BuilderGate,
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { registry, repository } = subject.image;
  const source = ports.registries.target(registry);
  const found = await readAttached(source, { registry, repository, digest }, ['cosign-tag', 'bundle'], signal);
  const judge = async () => heldStatements(found, attestor, ports.now());
  const { held } = await knowingRevocation(ports, judge, signal);
  const builders = held.flatMap(({ evidence: { statement } }) => builderOf(statement) ?? []);
  if (builders.some((id) => matchesAny(builderId, id))) return undefined;
  const [other] = builders;
  if (other !== undefined) return `builder ${other.slice(0, 300)} is not ${listed(builderId)}`;
  return `builder unknown: no provenance of ${listed(builderId)} on ${digest} holds under the trust ${trust}`;
}

/** `builder.id` of provenance of either version (interop E.1). */
function builderOf(statement: Statement | undefined): string | undefined {
  if (!statement || !isOfFamily(statement.predicateType, SLSA_PROVENANCE) || isOurs(statement)) return undefined;
  const { predicate } = statement;
  const id =
    member(member(member(predicate, 'runDetails'), 'builder'), 'id') ?? member(member(predicate, 'builder'), 'id');
  return typeof id === 'string' && id !== '' ? id : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
