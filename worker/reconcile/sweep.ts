import { AppError } from '#model/errors.ts';
import { isRepository } from '#model/image-ref.ts';
import { matchesAny } from '#model/rule.ts';
import type { SweepMemory } from '#model/sweep.ts';
import type { SweepOptions } from '#model/sweep-options.ts';
import type { Catalog } from '#oci/catalog/catalog.ts';
import { type RepositorySweepParts, type SweepCount, sweepRepository } from '#reconcile/sweep-repository.ts';

export interface SweepParts extends Omit<RepositorySweepParts, 'catalog' | 'memory'> {
  /** The registry's configured name. */
  readonly registry: string;
  readonly catalog: Catalog;
  readonly memory: SweepMemory;
  readonly settings: SweepOptions;
  /** Repositories that hold evidence and no images. */
  readonly evidenceRepositories: ReadonlySet<string>;
  /** Runs the work on one repository, e.g. within a budget. */
  paced(repository: string, work: () => Promise<void>): Promise<void>;
  /** Called after each repository. */
  progress?(report: SweepReport): Promise<void> | void;
}

export interface SweepReport extends Readonly<SweepCount> {
  readonly registry: string;
  readonly repositories: number;
  /** Done by the sweep that was stopped, which this one went on with. */
  readonly resumed: number;
  /** Repositories that could not be looked through; the next sweep tries them again. */
  readonly failed: number;
  /** Why the first of these could not. */
  readonly why?: string;
}

/** More are no repositories of one registry; what it makes up must end. */
const MAX_REPOSITORIES = 200_000;

/**
 * Looks through a registry for images of which no push was heard, and enqueues them. What stops it (the registry asks to
 * be left alone, the process ends) loses nothing: the next call goes on after the last repository that was done. A
 * repository that would fail at each try is left for the next sweep, so that those behind it have their turn.
 * @throws AppError of the registry and of Redis; the signal's reason.
 */
export async function sweepRegistry(parts: SweepParts): Promise<SweepReport> {
  const { registry, memory, settings, dryRun, signal } = parts;
  const count: SweepCount = { tags: 0, looks: 0, gaps: 0, left: 0, vanished: 0 };
  let repositories = 0;
  let resumed = 0;
  const failures: AppError[] = [];
  const report = (): SweepReport => {
    const [first] = failures;
    return {
      registry,
      repositories,
      resumed,
      failed: failures.length,
      ...(first ? { why: first.message } : {}),
      ...count,
    };
  };
  if (!dryRun) await memory.begin(registry, parts.now());
  for await (const repository of chosen(parts)) {
    signal.throwIfAborted();
    if (repositories + resumed + failures.length >= MAX_REPOSITORIES) break;
    if (!dryRun && (await memory.isDone(registry, repository))) {
      resumed += 1;
      continue;
    }
    try {
      await parts.paced(repository, () => sweepRepository({ registry, repository }, parts, count, settings.most));
      repositories += 1;
      if (!dryRun) await memory.done(registry, repository);
    } catch (error) {
      if (signal.aborted || !isOfRepository(error)) throw error;
      failures.push(error);
    }
    await parts.progress?.(report());
  }
  // Where nothing could be looked at, it is not the repositories.
  const [first] = failures;
  if (first && repositories + resumed === 0) throw first;
  if (!dryRun) await memory.end(registry);
  return report();
}

/** Whether the rest of the registry may be well: it answered, and would answer the same at the next try. */
function isOfRepository(error: unknown): error is AppError {
  return error instanceof AppError && (error.class === 'permanent' || error.class === 'not-yet');
}

async function* chosen({
  registry,
  catalog,
  settings,
  evidenceRepositories,
  signal,
}: SweepParts): AsyncGenerator<string> {
  const { list, repositories: patterns } = settings;
  for await (const repository of list ?? catalog.repositories(signal)) {
    if (!isRepository(repository) || evidenceRepositories.has(`${registry}/${repository}`)) continue;
    if (patterns === undefined || matchesAny(patterns, repository)) yield repository;
  }
}
