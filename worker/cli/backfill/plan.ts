import { planWords } from '#cli/backfill/words.ts';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { createProgress } from '#cli/progress.ts';
import { configuredRegistries, type ProcessParts } from '#compose/process-parts.ts';
import type { BackfillChunk, BackfillHours } from '#model/backfill.ts';
import { AppError } from '#model/errors.ts';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { chooseRule } from '#model/rule.ts';
import { estimateBackfill } from '#reconcile/backfill-estimate.ts';
import { planBackfill } from '#reconcile/backfill-plan.ts';
import { createBackfillMemory, createBackfillSamples } from '#redis/backfill-memory.ts';
import type { RedisConnection } from '#redis/connection.ts';

export interface PlanRequest {
  readonly registries: readonly string[];
  readonly repositories: readonly string[];
  readonly concurrency: number;
  readonly hours?: BackfillHours;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Lists what is to be attested, keeps that as the plan, and says what it would take. Nothing is enqueued. */
export async function planCommand(
  parts: ProcessParts,
  connection: RedisConnection,
  request: PlanRequest,
  io: CommandIo,
): Promise<number> {
  const { config } = parts;
  const { prefix } = config.redis;
  const memory = createBackfillMemory(connection.client, { prefix });
  const names = chosen(parts, request.registries);
  const registries = configuredRegistries(parts);
  const progress = createProgress(io, request.quiet || request.json);
  let repositories = 0;
  let images = 0;
  const of = new Set<string>();
  const counted = async function* (chunks: AsyncIterable<BackfillChunk>): AsyncGenerator<BackfillChunk> {
    for await (const chunk of chunks) {
      images += chunk.tags.length;
      of.add(`${chunk.registry}/${chunk.repository}`);
      yield chunk;
    }
    repositories = of.size;
  };
  try {
    const chunks = planBackfill({
      registries: names.flatMap((registry) => {
        const catalog = registries.catalog(registry);
        const list = config.registries.find(({ name }) => name === registry)?.sweep?.list;
        return catalog ? [{ registry, catalog, ...(list ? { list } : {}) }] : [];
      }),
      ...(request.repositories.length > 0 ? { repositories: request.repositories } : {}),
      isWanted: (image) => chooseRule(config.rules, image).rule !== undefined,
      isEvidenceTag: evidenceTagTest({ suffixes: config.sources.flatMap((source) => source.attestationTagSuffixes) }),
      evidenceRepositories: new Set(
        config.rules.flatMap(({ evidence }) => evidence.flatMap(({ repository }) => repository ?? [])),
      ),
      progress: (found) =>
        progress.note(`${found.registry}: ${found.repositories} repositories, ${found.images} images`),
      signal: io.signal,
    });
    const backfill = {
      id: Buffer.from(parts.randomBytes(4)).toString('hex'),
      state: 'planned' as const,
      registries: names,
      ...(request.repositories.length > 0 ? { repositories: [...request.repositories] } : {}),
      images: 0,
      plannedAt: io.now().toISOString(),
      concurrency: request.concurrency,
      ...(request.hours ? { hours: request.hours } : {}),
    };
    if (!(await memory.plan(backfill, counted(chunks)))) {
      throw new AppError('usage', 'a backfill is under way', {
        mend: 'wait for it, or end it: attestry backfill cancel',
      });
    }
    progress.end();
    const samples = await createBackfillSamples(connection.client, { prefix }).list();
    const requestsPerSecond = slowest(parts, names);
    const { concurrency, hours } = request;
    const input = { images, registries: names, samples, concurrency, requestsPerSecond };
    const estimate = estimateBackfill({ ...input, ...(hours ? { hours } : {}) });
    const planned = { ...backfill, images };
    if (request.json) io.stdout(`${JSON.stringify({ ...planned, repositoriesFound: repositories, estimate })}\n`);
    else
      io.stdout(
        `${planWords(planned, repositories, estimate)}Nothing was enqueued. Is that wanted? attestry backfill --run\n`,
      );
    return EXIT.ok;
  } finally {
    progress.end();
    await registries.close();
  }
}

function chosen({ config }: ProcessParts, names: readonly string[]): string[] {
  if (names.length === 0) return config.registries.flatMap((one) => (one.directory === undefined ? [one.name] : []));
  return names.map((name) => {
    const found = config.registries.find((one) => one.name === name || one.id === name);
    if (!found)
      throw new AppError('unknown-registry', `the registry ${name} is not configured`, { field: '--registry' });
    if (found.directory === undefined) return found.name;
    throw new AppError('usage', `${name} is a folder, and is not listed`, { field: '--registry' });
  });
}

/** Requests a second that a backfill gets of the registry that gives it least; 0: no limit. */
function slowest({ config }: ProcessParts, names: readonly string[]): number {
  const { registry, shares } = config.worker.budgets;
  const rates = names.flatMap((name) => {
    const own = config.registries.find((one) => one.name === name)?.budget;
    const rate = own?.requestsPerSecond ?? registry.requestsPerSecond;
    return rate > 0 ? [(rate * shares.backfill) / 100] : [];
  });
  return rates.length === 0 ? 0 : Math.min(...rates);
}
