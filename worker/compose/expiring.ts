import type { Dispatch } from '#compose/dispatch.ts';
import type { SigningIdentity } from '#engine/engine-ports.ts';
import type { EventContext } from '#events/cloud-event.ts';
import { certificateExpiring } from '#events/watch-events.ts';
import type { ToldOnce } from '#redis/told-once.ts';

const DAY_MS = 24 * 3_600_000;
/** Below the configured warning: two weeks, one, three days, one, and its end. */
const THRESHOLDS_MS: readonly number[] = [14, 7, 3, 1, 0].map((days) => days * DAY_MS);

/** The nearest threshold that was passed, milliseconds before the end; undefined while none is. */
export function passedThreshold(leftMs: number, warningMs: number): number | undefined {
  if (leftMs > warningMs) return undefined;
  const all = [warningMs, ...THRESHOLDS_MS.filter((threshold) => threshold < warningMs)];
  return all.findLast((threshold) => leftMs <= threshold);
}

/** Tells of certificates that end soon: once for each threshold that one passes, across processes and restarts. */
export async function announceExpiring(
  signers: ReadonlyMap<string, SigningIdentity>,
  warningMs: number,
  told: ToldOnce,
  dispatch: Dispatch,
  context: EventContext,
): Promise<void> {
  for (const [id, { signer }] of signers) {
    const [leaf] = signer.kind === 'fixed' ? signer.chain : [];
    if (!leaf) continue;
    const threshold = passedThreshold(leaf.notAfter.getTime() - context.now.getTime(), warningMs);
    if (threshold === undefined) continue;
    const { fingerprint } = signer;
    const facts = { id, fingerprint, certificate: leaf.subject, notAfter: leaf.notAfter, threshold };
    await told.once(`expiring\n${id}\n${fingerprint}\n${threshold}`, () =>
      dispatch(certificateExpiring(facts, context)),
    );
  }
}
