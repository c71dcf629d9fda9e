import type { FileTrust } from '#compose/file-trust.ts';
import { toAppError } from '#model/errors.ts';
import type { Ledger } from '#model/ledger.ts';
import type { Metrics } from '#telemetry/metrics.ts';

export interface TrustWatchParts {
  readonly files: ReadonlyMap<string, Pick<FileTrust, 'reload'>>;
  readonly ledger: Pick<Ledger, 'makeDue'>;
  /** The policies whose verdicts rest on a trust. */
  policiesOf(trust: string): readonly string[];
  readonly metrics: Pick<Metrics, 'count'>;
  readonly log: Readonly<Record<'info' | 'warn', (fields: object, text: string) => void>>;
  now(): Date;
}

/**
 * Takes over trust files that changed, without a restart: whoever judges next asks the new material, and the images that are
 * judged under it are due at once. Files that do not read leave the material that there is, and are told once.
 */
export function watchTrustFiles({
  files,
  ledger,
  policiesOf,
  metrics,
  log,
  now,
}: TrustWatchParts): () => Promise<void> {
  const refused = new Map<string, string>();
  /** Taken over, and the ledger does not know yet: it may be away just then. */
  const untold = new Set<string>();

  async function look(trust: string, file: Pick<FileTrust, 'reload'>): Promise<void> {
    try {
      const isNew = await file.reload();
      refused.delete(trust);
      if (!isNew) return;
    } catch (thrown) {
      const { code, message, mend } = toAppError(thrown);
      if (refused.get(trust) === message) return;
      refused.set(trust, message);
      metrics.count('attestry_trust_fetches_total', { outcome: 'kept' });
      log.warn(
        { trust, code, mend },
        `the changed files of the trust are not taken over, the present ones count: ${message}`,
      );
      return;
    }
    untold.add(trust);
    metrics.count('attestry_trust_fetches_total', { outcome: 'fetched' });
    log.info({ trust }, 'changed files of a trust taken over');
  }

  return async () => {
    for (const [trust, file] of files) await look(trust, file);
    for (const trust of untold) {
      for (const policyUri of policiesOf(trust)) await ledger.makeDue({ policyUri }, now());
      untold.delete(trust);
    }
  };
}
