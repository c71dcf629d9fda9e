import { type Dispatch, relayOutbox } from '#compose/dispatch.ts';
import { announceExpiring } from '#compose/expiring.ts';
import { type RevocationWatchParts, watchRevocation } from '#compose/revocation-watch.ts';
import type { SigningIdentity } from '#engine/engine-ports.ts';
import { alertFiring } from '#events/verdict-events.ts';
import type { Cause } from '#model/job.ts';
import type { Ledger, Outbox } from '#model/ledger.ts';
import type { JobQueues } from '#queue/queues.ts';
import type { Wake } from '#queue/schedule.ts';
import { enqueueDue } from '#reconcile/due.ts';
import type { ReconcileOptions } from '#reconcile/options.ts';
import type { ToldOnce } from '#redis/told-once.ts';

export interface HousekeepingParts {
  readonly ledger: Ledger & Outbox;
  readonly queues: JobQueues;
  readonly signers: ReadonlyMap<string, SigningIdentity>;
  readonly told: ToldOnce;
  readonly dispatch: Dispatch;
  readonly reconcile: ReconcileOptions;
  /** Source of events. */
  readonly source: string;
  now(): Date;
  traceparent(): string;
  /** Absent: nobody asks whether certificates were revoked. */
  readonly revocation?: Pick<RevocationWatchParts, 'revocation' | 'memory' | 'policiesOf'>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/**
 * Alerts sent at one wake. One that is left out falls silent, and so looks resolved: when a CA expires they are as many
 * as there are images.
 */
const MAX_ALERTS = 10_000;
/** Dispatches in flight: each is a few round trips to Redis, and all must be done long before the next wake. */
const ALERTS_AT_ONCE = 50;
/** The wakes take turns: whatever is due, alerts must be sent again before they fall silent. */
const DUE_WITHIN_MS = 20_000;
const RELAY_BATCH = 200;

export interface Housekeeping {
  readonly wakes: readonly Wake[];
  run(wake: string): Promise<void>;
  /** Hands on what the outbox holds; called often, cheap when it is empty. */
  relay(): Promise<void>;
}

/** What happens by the clock. The wakes only wake: what is to be done is found in the ledger. */
export function createHousekeeping(parts: HousekeepingParts): Housekeeping {
  const { ledger, queues, dispatch, source, now, reconcile } = parts;

  async function revocation(): Promise<void> {
    if (parts.revocation && (await watchRevocation({ ...parts.revocation, ledger, now })) > 0) {
      await due('certificate-revoked');
    }
  }

  async function due(cause: Cause = 'schedule'): Promise<void> {
    const until = now().getTime() + DUE_WITHIN_MS;
    let more = true;
    // A page at a time, so that a long outage does not end in one huge answer; what is left is due at the next wake.
    while (more && now().getTime() < until) {
      const options = { ledger, queues, now: now(), limit: reconcile.batch, traceparent: parts.traceparent, cause };
      more = (await enqueueDue(options)).items === reconcile.batch;
    }
  }

  async function alerts(): Promise<void> {
    const open = await ledger.openAlerts(MAX_ALERTS);
    const failures: unknown[] = [];
    for (let at = 0; at < open.length; at += ALERTS_AT_ONCE) {
      const group = open.slice(at, at + ALERTS_AT_ONCE);
      const sent = await Promise.allSettled(group.map((alert) => dispatch(alertFiring(alert, { source, now: now() }))));
      // One that cannot be sent must not silence those behind it.
      for (const each of sent) if (each.status === 'rejected') failures.push(each.reason);
    }
    if (failures.length > 0) throw failures[0];
  }

  async function certificates(): Promise<void> {
    const { signers, told } = parts;
    await announceExpiring(signers, reconcile.certificateWarning, told, dispatch, { source, now: now() });
  }

  const tasks: Readonly<Record<string, () => Promise<void>>> = { due: () => due(), alerts, certificates, revocation };
  return {
    wakes: [
      { id: 'due', everyMs: reconcile.wake },
      { id: 'alerts', everyMs: MINUTE_MS },
      { id: 'certificates', everyMs: HOUR_MS },
      { id: 'revocation', everyMs: reconcile.revocation },
    ],
    run: async (wake) => tasks[wake]?.(),
    relay: async () => {
      let relayed: number;
      do relayed = await relayOutbox(ledger, dispatch, { source, now }, RELAY_BATCH);
      while (relayed === RELAY_BATCH);
    },
  };
}
