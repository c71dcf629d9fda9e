import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { pathProblem } from '#model/registry-limits.ts';

/** What a registry can do for one repository. A member that is absent is not known yet: nothing was asked or tried. */
export interface Capabilities {
  /** `api`: it lists referrers itself. `tag`: clients keep the list at the fallback tag (interop A.3.6). */
  readonly referrers?: 'api' | 'tag';
  /** It refused to let an existing tag be written again. */
  readonly immutableTags?: boolean;
  /** It refused a write for want of room. */
  readonly quotaExceeded?: boolean;
  /** Whether manifests can be deleted. */
  readonly deletes?: boolean;
  /** The most levels that a repository path may have; absent: no limit is known. */
  readonly pathLevels?: number;
}

/** Who can be asked: every target. */
export interface Probed {
  capabilities(repository: string, signal?: AbortSignal): Promise<Capabilities>;
}

/** What stores of our own can do: folders and memory. */
export const LOCAL_CAPABILITIES: Capabilities = {
  referrers: 'api',
  immutableTags: false,
  quotaExceeded: false,
  deletes: true,
};

/** A digest that no content has: asking for its referrers tells whether there is anybody to ask. */
export const NO_CONTENT: Digest = `sha256:${'0'.repeat(64)}`;

/**
 * Asks a registry what it can do for a repository. Nothing is written: what only a write can tell (immutable tags,
 * quota, deletion) is there when an earlier write told it.
 * @throws AppError the registry errors; a referrers end point that answers 403 or 5xx is one.
 */
export async function probe(target: Probed, repository: string, signal?: AbortSignal): Promise<Capabilities> {
  return await target.capabilities(repository, signal);
}

/** @throws AppError `path-too-deep`, before anything is sent. */
export function refuseDeepPath(
  { name, baseUrl }: { readonly name: string; readonly baseUrl: URL },
  repository: string,
): void {
  const problem = pathProblem(name, repository) ?? pathProblem(baseUrl.host, repository);
  if (!problem) return;
  const mend = `use a repository such as ${problem.flat}`;
  throw new AppError('path-too-deep', problem.message, { field: 'repository', mend });
}
