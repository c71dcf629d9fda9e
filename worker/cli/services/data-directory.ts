import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#model/errors.ts';

const MOST = 9;
const LEFTOVER_MS = 15_000;
const POLL_MS = 100;
/** Long enough for a rival that saw the same dead claim to have written his. */
const SETTLE_MS = 50;

/** A directory that no other running Attestry uses. */
export interface DataDirectory {
  readonly path: string;
  /** Adds a server to the claim: the directory stays taken while it still runs, whatever became of us. */
  holdFor(pid: number): Promise<void>;
  release(): Promise<void>;
}

interface Claim {
  readonly token: string;
  /** Owner first, then its servers. */
  readonly processes: readonly ProcessId[];
}

/** A process id with its start time, because ids are used again. */
interface ProcessId {
  readonly pid: number;
  readonly started: string;
}

/**
 * Claims `base`, or the first of `base-2`, `base-3` … that is free, so that two runs at once never share a database.
 * Servers that a killed run left behind are given time to end first.
 * @throws AppError `server-failed` when all are taken.
 */
export async function claimDataDirectory(base: string, token: string): Promise<DataDirectory> {
  for (let nth = 1; nth <= MOST; nth++) {
    const path = nth === 1 ? base : `${base}-${nth}`;
    const directory = await claim(path, token);
    if (directory) return directory;
  }
  throw new AppError('server-failed', `${MOST} runs already use ${base}`, { mend: 'stop one of them' });
}

async function claim(path: string, token: string): Promise<DataDirectory | undefined> {
  await mkdir(path, { recursive: true });
  const file = join(path, 'claim.json');
  if (!(await isFree(file))) return undefined;
  let mine: Claim = { token, processes: await identify([process.pid]) };
  await writeFile(file, JSON.stringify(mine));
  await sleep(SETTLE_MS);
  if ((await readClaim(file))?.token !== token) return undefined;
  return {
    path,
    holdFor: async (pid) => {
      mine = { token, processes: [...mine.processes, ...(await identify([pid]))] };
      await writeFile(file, JSON.stringify(mine));
    },
    release: async () => {
      if ((await readClaim(file))?.token === token) await rm(file, { force: true });
    },
  };
}

async function isFree(file: string): Promise<boolean> {
  const found = await readClaim(file);
  if (!found) return true;
  const [owner, ...servers] = found.processes;
  if (owner && (await isRunning(owner))) return false;
  for (let waited = 0; waited < LEFTOVER_MS; waited += POLL_MS) {
    const running = await Promise.all(servers.map(isRunning));
    if (!running.includes(true)) return true;
    await sleep(POLL_MS);
  }
  return false;
}

async function readClaim(file: string): Promise<Claim | undefined> {
  try {
    const { token, processes } = JSON.parse(await readFile(file, 'utf8')) as Partial<Claim>;
    return token !== undefined && Array.isArray(processes) ? { token, processes } : undefined;
  } catch {
    return undefined;
  }
}

async function identify(pids: readonly number[]): Promise<ProcessId[]> {
  return Promise.all(pids.map(async (pid) => ({ pid, started: (await startTime(pid)) ?? '' })));
}

async function isRunning({ pid, started }: ProcessId): Promise<boolean> {
  return (await startTime(pid)) === started;
}

/** Field 22 of proc(5) `stat`: clock ticks since boot; undefined when there is no such process. */
async function startTime(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
