import type { ProcessParts } from '#compose/process-parts.ts';
import type { RegistryBudget } from '#compose/registry-budget.ts';
import { AppError } from '#model/errors.ts';
import { evidenceTagTest } from '#model/evidence-tag.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';
import type { Ledger } from '#model/ledger.ts';
import { chooseRule } from '#model/rule.ts';
import type { SweepMemory } from '#model/sweep.ts';
import type { SweepOptions } from '#model/sweep-options.ts';
import type { CataloguedRegistries } from '#oci/registries.ts';
import type { JobQueues } from '#queue/queues.ts';
import { type SweepReport, sweepRegistry } from '#reconcile/sweep.ts';
import type { FirstContact } from '#redis/first-contact.ts';

export interface SweeperParts extends Pick<ProcessParts, 'config' | 'now' | 'traceparent' | 'randomBytes'> {
  readonly registries: Pick<CataloguedRegistries, 'catalog'>;
  readonly memory: SweepMemory;
  readonly ledger: Ledger;
  readonly queues: Pick<JobQueues, 'enqueueImage'>;
  /** What was decided on registries that are met for the first time. */
  readonly firstContact: FirstContact;
  /** Told when such a registry has more images than are attested without asking. */
  onAsk?(need: { readonly registry: string; readonly images: number; readonly limit: number }): Promise<void>;
  /** Absent: nothing paces it. */
  readonly budget?: Pick<RegistryBudget, 'run' | 'pace'>;
}

export interface SweepRun {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  progress?(report: SweepReport): Promise<void> | void;
}

export interface Sweeper {
  /** @throws AppError `config-invalid` when the registry is a folder. `held`: another worker sweeps it now. */
  sweep(registry: string, settings: SweepOptions, run: SweepRun): Promise<SweepReport | 'held'>;
}

/** A sweep that lost its worker is taken over after this; each repository renews it. */
const HOLD_MS = 5 * 60_000;

/** What compares the configured registries with the ledger. */
export function createSweeper(parts: SweeperParts): Sweeper {
  const { config, memory } = parts;
  const token = Buffer.from(parts.randomBytes(12)).toString('base64url');
  const isEvidenceTag = evidenceTagTest({
    suffixes: config.sources.flatMap((source) => source.attestationTagSuffixes),
  });
  const evidenceRepositories = new Set(
    config.rules.flatMap(({ evidence }) => evidence.flatMap(({ repository }) => repository ?? [])),
  );

  async function sweep(registry: string, settings: SweepOptions, run: SweepRun): Promise<SweepReport | 'held'> {
    const catalog = parts.registries.catalog(registry);
    if (catalog === undefined) {
      throw new AppError('config-invalid', `${registry} is a folder, and nobody pushes to it`, {
        field: 'registries.sweep',
        mend: 'take sweep out of it',
      });
    }
    if (!run.dryRun && !(await memory.hold(registry, token, HOLD_MS))) return 'held';
    const limit = config.reconcile.askAbove;
    const allowance = await parts.firstContact.allowance(registry, limit);
    const most = Math.min(settings.most, allowance ?? settings.most);
    let enqueued = 0;
    try {
      // The lists of repositories are asked for between the jobs, at their pace.
      const paced: RegistryBudget['pace'] = (lane, source, work) => parts.budget?.pace(lane, source, work) ?? work();
      const whole = () =>
        sweepRegistry({
          ...parts,
          registry,
          settings: { ...settings, most },
          catalog,
          evidenceRepositories,
          isEvidenceTag,
          isWanted: (image) => chooseRule(config.rules, image).rule !== undefined,
          async enqueue(job) {
            await parts.queues.enqueueImage(job.kind === 'look' ? 'cause' : 'backfill', job);
            if (job.kind !== 'look') enqueued += 1;
          },
          dryRun: run.dryRun,
          signal: run.signal,
          async paced(repository, work) {
            if (!run.dryRun) await memory.hold(registry, token, HOLD_MS);
            const job = placeholder(registry, repository, parts);
            if (!parts.budget) return work();
            await parts.budget.run({ lane: 'backfill', job, token: `sweep-${token}`, registry }, work);
          },
          ...(run.progress ? { progress: run.progress } : {}),
        });
      const report = await paced('backfill', 'sweep', whole);
      if (run.dryRun || allowance === undefined) return report;
      await parts.firstContact.enqueued(registry, enqueued, report.left === 0 && report.failed === 0);
      enqueued = 0;
      if (report.left > 0 && most < settings.most) {
        await parts.onAsk?.({ registry, images: report.gaps + report.left, limit });
      }
      return report;
    } finally {
      // What was enqueued before it was stopped counts as well.
      if (!run.dryRun && enqueued > 0 && allowance !== undefined) {
        await parts.firstContact.enqueued(registry, enqueued, false).catch(() => undefined);
      }
      // When Redis is away the hold ends by itself.
      if (!run.dryRun) await memory.giveBack(registry, token).catch(() => undefined);
    }
  }

  return { sweep };
}

/** What the budget is told of the work on one repository: it belongs to no source and no image. */
function placeholder(registry: string, repository: string, { now, traceparent }: SweeperParts): ImageJob {
  return {
    v: JOB_VERSION,
    kind: 'attest',
    image: { registry, repository },
    source: 'sweep',
    cause: 'sweep',
    traceparent: traceparent(),
    receivedAt: now().toISOString(),
  };
}
