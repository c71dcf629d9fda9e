import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './setup-error.mjs';

const POLL_MS = 200;
/** A cold installation on a slow link takes minutes, never this long. */
const GIVE_UP_MS = 30 * 60_000;

/**
 * Runs `work` while this process alone holds the lock file, so that two first uses at once do not install over each
 * other. A lock whose processes are gone is taken over. `work` gets a function that adds the id of a child process to
 * the lock: a child that outlives its parent still holds it.
 */
export async function withLock(path, say, work) {
  mkdirSync(dirname(path), { recursive: true });
  const lock = await acquire(path, say);
  try {
    return await work((pid) => writeFileSync(path, record(lock.token, [process.pid, pid])));
  } finally {
    if (read(path)?.token === lock.token) unlinkSync(path);
  }
}

async function acquire(path, say) {
  const token = randomUUID();
  const started = performance.now();
  let told = false;
  for (;;) {
    try {
      writeFileSync(path, record(token, [process.pid]), { flag: 'wx' });
      return { token };
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = read(path);
    if (holder && !isAlive(holder)) {
      breakLock(path, holder.token);
      continue;
    }
    if (!told && holder) say(`another set-up is running (process ${holder.pids[0]}); waiting for it`);
    told = true;
    if (performance.now() - started > GIVE_UP_MS) {
      throw new SetupError(`another set-up has held ${path} for half an hour; end it, or delete that file`);
    }
    await sleep(POLL_MS);
  }
}

function record(token, pids) {
  return JSON.stringify({ token, pids, host: hostname() });
}

function read(path) {
  try {
    const { token, pids, host } = JSON.parse(readFileSync(path, 'utf8'));
    return { token, pids, host };
  } catch {
    // Gone meanwhile, or not yet written whole: look again.
    return undefined;
  }
}

function isAlive({ pids, host }) {
  // The processes of another host cannot be seen from here.
  if (host !== hostname()) return true;
  return pids.some((pid) => {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return error.code === 'EPERM';
    }
  });
}

/** Moves a dead lock away; when another process was faster and it is that one's live lock, puts it back. */
function breakLock(path, deadToken) {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (read(aside)?.token !== deadToken) {
    try {
      linkSync(aside, path);
    } catch {
      // A third process holds the lock by now; the one displaced here only finds its token gone at the end.
    }
  }
  unlinkSync(aside);
}
