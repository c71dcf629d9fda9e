import type { EnginePorts } from '#engine/engine-ports.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { formatRepositoryRef, type RepositoryRef } from '#model/image-ref.ts';
import { globMatches, type PromoteRule } from '#model/rule.ts';

/** A repository that may hold evidence of an image that was promoted from it. */
export interface PromotionSource extends RepositoryRef {
  /** The rule names it: that it cannot be read is a failure. Others are passed over then. */
  readonly named: boolean;
}

/** Repositories that are looked at for one image. */
const MAX_SOURCES = 16;

/** Where to look for evidence of an image, in the order of the rule: what it names, and where the digest was seen. */
export async function promotionSources(
  { from }: PromoteRule,
  digest: Digest,
  ports: Pick<EnginePorts, 'registries' | 'seen'>,
): Promise<readonly PromotionSource[]> {
  const needsSeen = from.some((pattern) => pattern.includes('*'));
  const seen = needsSeen && ports.seen ? await ports.seen.places(digest) : [];
  const found = new Map<string, PromotionSource>();
  for (const pattern of from) {
    const sources = pattern.includes('*')
      ? seen.filter((place) => globMatches(pattern, formatRepositoryRef(place)))
      : [namedSource(pattern, ports)];
    for (const source of sources) {
      const name = formatRepositoryRef(source);
      if (!found.has(name)) found.set(name, { ...source, named: !pattern.includes('*') });
    }
  }
  return [...found.values()].slice(0, MAX_SOURCES);
}

function namedSource(pattern: string, { registries }: Pick<EnginePorts, 'registries'>): RepositoryRef {
  const slash = pattern.indexOf('/');
  if (slash < 1) {
    throw new AppError('config-invalid', `"${pattern}" names no repository`, { field: 'promote.from' });
  }
  return { registry: registries.nameOf(pattern.slice(0, slash)), repository: pattern.slice(slash + 1) };
}
