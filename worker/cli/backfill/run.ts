import { setTimeout as sleep } from 'node:timers/promises';
import { type CurrentBackfill, settled, statusWords } from '#cli/backfill/words.ts';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { createProgress } from '#cli/progress.ts';
import type { BackfillHours, BackfillMemory, BackfillState } from '#model/backfill.ts';
import { AppError } from '#model/errors.ts';
import type { FirstContact } from '#redis/first-contact.ts';

export interface RunRequest {
  readonly concurrency?: number;
  readonly hours?: BackfillHours;
  readonly detach: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

const LOOK_EVERY_MS = 1000;

/** Lets the plan run, or one that is under way go on with other settings, and follows it to its end. */
export async function runCommand(
  memory: BackfillMemory,
  firstContact: FirstContact,
  request: RunRequest,
  io: CommandIo,
): Promise<number> {
  const backfill = await memory.current();
  if (!backfill || backfill.state === 'done' || backfill.state === 'canceled') {
    throw new AppError('usage', 'there is no plan to run', { mend: 'make one: attestry backfill --plan' });
  }
  const { concurrency, hours } = request;
  const settings = { ...(concurrency === undefined ? {} : { concurrency }), ...(hours ? { hours } : {}) };
  // Part of a registry says nothing of the rest of it.
  if (backfill.repositories === undefined) {
    for (const registry of backfill.registries) await firstContact.decide(registry, true);
  }
  const startedAt = backfill.startedAt ?? io.now().toISOString();
  const change = { ...settings, state: 'running', startedAt } as const;
  if (!(await memory.change(backfill.id, ['planned', 'running', 'paused'], change))) throw changedMeanwhile();
  if (request.detach) return showStatus(memory, request.json, io);
  return follow(memory, backfill.id, request, io);
}

async function follow(memory: BackfillMemory, id: string, request: RunRequest, io: CommandIo): Promise<number> {
  const progress = createProgress(io, request.quiet || request.json);
  const from = { at: io.now().getTime(), settled: undefined as number | undefined };
  for (;;) {
    const backfill = await memory.current();
    if (backfill?.id !== id) throw changedMeanwhile();
    from.settled ??= settled(backfill);
    const gone = settled(backfill) - from.settled;
    const leftMs =
      gone > 0 ? ((io.now().getTime() - from.at) / gone) * (backfill.images - settled(backfill)) : undefined;
    progress.note(statusWords(backfill, leftMs));
    if (backfill.state !== 'running' || io.signal.aborted) {
      progress.end();
      if (backfill.state === 'running') io.stderr('it goes on without this command: attestry backfill status\n');
      io.stdout(request.json ? `${JSON.stringify(backfill)}\n` : `${statusWords(backfill, undefined)}\n`);
      return backfill.progress.failed > 0 ? EXIT.fail : EXIT.ok;
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal: io.signal }).catch(() => undefined);
  }
}

const CHANGES = {
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused'], to: 'running' },
  cancel: { from: ['planned', 'running', 'paused'], to: 'canceled' },
} as const satisfies Record<string, { from: readonly BackfillState[]; to: BackfillState }>;

export type ChangeAction = keyof typeof CHANGES;
export const CHANGE_ACTIONS = Object.keys(CHANGES) as readonly ChangeAction[];

/** Pauses, goes on with, or ends the backfill. Jobs that run come to their end. */
export async function changeCommand(
  action: ChangeAction,
  memory: BackfillMemory,
  firstContact: FirstContact,
  json: boolean,
  io: CommandIo,
): Promise<number> {
  const { from, to } = CHANGES[action];
  const backfill = await memory.current();
  if (!backfill || !from.some((state) => state === backfill.state)) {
    const is = backfill ? `the backfill is ${backfill.state}` : 'there is no backfill';
    throw new AppError('usage', `cannot ${action}: ${is}`, { mend: 'see attestry backfill status' });
  }
  const ended = to === 'canceled' ? { endedAt: io.now().toISOString() } : {};
  if (!(await memory.change(backfill.id, from, { state: to, ...ended }))) throw changedMeanwhile();
  if (to === 'canceled') for (const registry of backfill.registries) await firstContact.decide(registry, false);
  return showStatus(memory, json, io);
}

export async function showStatus(memory: BackfillMemory, json: boolean, io: CommandIo): Promise<number> {
  const backfill: CurrentBackfill | undefined = await memory.current();
  if (json) io.stdout(`${JSON.stringify(backfill ?? null)}\n`);
  else io.stdout(backfill ? `${statusWords(backfill, undefined)}\n` : 'there is no backfill\n');
  return EXIT.ok;
}

function changedMeanwhile(): AppError {
  return new AppError('usage', 'somebody else changed the backfill meanwhile', {
    mend: 'see attestry backfill status',
  });
}
