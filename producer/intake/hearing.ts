import type { IntakeObservation } from '#producer/intake/observation.ts';

/** Notes when sources speak: once a second each at most, and never in the way of an answer. */
export function createHearing(
  note: (source: string, at: Date, lagMs?: number) => Promise<void>,
  now: () => Date,
): (observation: IntakeObservation) => void {
  const noted = new Map<string, number>();
  return (observation) => {
    const lagMs = observation.kind === 'enqueued' ? observation.lagMs : undefined;
    const heard = observation.kind === 'delivery' && ['accepted', 'skipped'].includes(observation.result);
    if (observation.kind !== 'enqueued' && !heard) return;
    const { source } = observation;
    if (source === undefined) return;
    const at = now();
    const last = noted.get(source) ?? 0;
    if (at.getTime() - last < EVERY_MS && at.getTime() >= last) return;
    noted.set(source, at.getTime());
    // What is not noted is noted with the next delivery.
    note(source, at, lagMs).catch(() => noted.delete(source));
  };
}

const EVERY_MS = 1000;
