import type { BackfillHours, BackfillSample } from '#model/backfill.ts';
import { shareOfDay } from '#reconcile/backfill-hours.ts';

export interface EstimateInput {
  readonly images: number;
  readonly registries: readonly string[];
  readonly samples: readonly BackfillSample[];
  readonly concurrency: number;
  readonly hours?: BackfillHours;
  /** Requests a second that a backfill gets of a registry; 0: no limit. */
  readonly requestsPerSecond: number;
}

/** What a backfill will take, and on what that is based. */
export interface Estimate {
  readonly requests: number;
  readonly sentBytes: number;
  readonly ms: number;
  /** Attested images that were measured; 0: none was, and the numbers are those of small test images. */
  readonly measured: number;
  /** Whether they were images of the same registries. */
  readonly same: boolean;
}

/** What a small image of one layer takes with an SBOM and provenance, as the bench of backfills counts it. */
const UNMEASURED: Omit<BackfillSample, 'registry'> = { requests: 30, sentBytes: 30_000, ms: 400 };

/** Means of what was measured on this installation, times the number of images. */
export function estimateBackfill(input: EstimateInput): Estimate {
  const { images, samples, registries, concurrency, hours, requestsPerSecond } = input;
  const ofThese = samples.filter(({ registry }) => registries.includes(registry));
  const used = ofThese.length > 0 ? ofThese : samples;
  const mean = (of: (sample: Omit<BackfillSample, 'registry'>) => number) =>
    used.length === 0 ? of(UNMEASURED) : used.reduce((sum, sample) => sum + of(sample), 0) / used.length;
  const requests = Math.ceil(images * mean((sample) => sample.requests));
  const working = (images * mean((sample) => sample.ms)) / concurrency;
  const asked = requestsPerSecond > 0 ? (requests / requestsPerSecond) * 1000 : 0;
  return {
    requests,
    sentBytes: Math.ceil(images * mean(({ sentBytes }) => sentBytes)),
    ms: Math.ceil(Math.max(working, asked) / shareOfDay(hours)),
    measured: used.length,
    same: ofThese.length > 0,
  };
}
