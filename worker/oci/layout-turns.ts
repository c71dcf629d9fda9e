import { mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#model/errors.ts';

/** Present while a layout's index is being changed; other tools pass it over. */
const LOCK_FILE = '.attestry-writing';
const POLL_MS = 20;
/** A change takes milliseconds: who holds the same lock for this long was killed. */
const ABANDONED_MS = 10_000;
const GIVE_UP_MS = 120_000;

/** Runs one change of a layout at a time. */
export type LayoutTurns = (layout: string, work: () => Promise<void>) => Promise<void>;

/**
 * One change of a layout at a time: among the tasks of this process in the order in which they came, and among the
 * processes of this machine by a lock file. Other tools know of neither.
 * @throws AppError `lock-lost` when others hold the layout for minutes.
 */
export function createLayoutTurns({ abandonedMs = ABANDONED_MS }: { readonly abandonedMs?: number } = {}): LayoutTurns {
  const turns = new Map<string, Promise<unknown>>();
  return async (layout, work) => {
    const turn = (turns.get(layout) ?? Promise.resolve()).then(() => underLock(layout, work, abandonedMs));
    const settled = turn.catch(() => {});
    turns.set(layout, settled);
    await turn;
    if (turns.get(layout) === settled) turns.delete(layout);
  };
}

async function underLock(layout: string, work: () => Promise<void>, abandonedMs: number): Promise<void> {
  await mkdir(layout, { recursive: true });
  const lock = join(layout, LOCK_FILE);
  await take(lock, abandonedMs);
  try {
    await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string, abandonedMs: number): Promise<void> {
  let holder: string | undefined;
  let sameFor = 0;
  for (let waited = 0; waited < GIVE_UP_MS; waited += POLL_MS) {
    if (await create(lock)) return;
    const found = await identity(lock);
    sameFor = found === holder ? sameFor + POLL_MS : 0;
    holder = found;
    if (found !== undefined && sameFor >= abandonedMs) {
      await rm(lock, { force: true });
      sameFor = 0;
    }
    await sleep(POLL_MS);
  }
  throw new AppError('lock-lost', `other writers hold ${lock}`, { mend: 'remove that file when nobody writes there' });
}

async function create(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new AppError('registry-refused', `${lock} cannot be written (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}

/** Which lock it is: a new one has another inode or another time. */
async function identity(lock: string): Promise<string | undefined> {
  const found = await stat(lock, { bigint: true }).catch(() => undefined);
  return found && `${found.ino} ${found.mtimeNs}`;
}
