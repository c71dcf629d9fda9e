import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { canInstall, installWithApt } from './apt.mjs';
import { withLock } from './lock.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Servers that Attestry starts on this machine, by the names that distributions and upstream give them. `floor` is the
 * oldest version that will do; `answers` is how the right program shows itself, since `registry` is a common name.
 */
const SERVERS = [
  {
    id: 'redis',
    commands: ['redis-server', 'valkey-server'],
    package: 'redis-server',
    floor: [6, 2],
    answers: /(?:redis|valkey) server v=(\d+)\.(\d+)/i,
  },
  {
    id: 'registry',
    commands: ['docker-registry', 'registry'],
    package: 'docker-registry',
    floor: [2, 7],
    answers: /distribution\/distribution\S* v?(\d+)\.(\d+)|docker\/distribution v?(\d+)\.(\d+)/,
  },
  {
    id: 'alertmanager',
    commands: ['prometheus-alertmanager', 'alertmanager'],
    package: 'prometheus-alertmanager',
    floor: [0, 22],
    answers: /alertmanager, version (\d+)\.(\d+)/,
  },
];

/**
 * Finds the servers of these ids (`redis`, `registry`, `alertmanager`); with `root`, the clone, what is missing is
 * installed where that is allowed.
 * @returns the paths by id
 * @throws SetupError naming what to run when something is missing and cannot be installed.
 */
export async function ensureServers({ ids, say, root }) {
  const wanted = SERVERS.filter((server) => ids.includes(server.id));
  let found = wanted.map(find);
  if (root !== undefined && found.some((server) => server.path === undefined)) {
    found = await withLock(join(root, '.attestry', 'servers.lock'), say, async () => {
      const missing = wanted.map(find).filter((server) => server.path === undefined);
      if (missing.length > 0) await install(missing, say);
      return wanted.map(find);
    });
  }
  const missing = found.filter((server) => server.path === undefined);
  if (missing.length > 0) throw new SetupError(refusal(missing));
  return Object.fromEntries(found.map((server) => [server.id, server.path]));
}

async function install(missing, say) {
  const packages = missing.map((server) => server.package);
  if (!canInstall()) throw new SetupError(refusal(missing));
  await installWithApt(packages, say);
}

function refusal(missing) {
  const names = missing.map((server) => server.tooOld ?? server.commands[0]).join(', ');
  const packages = missing.map((server) => server.package).join(' ');
  return `needed and not found: ${names}; on Debian and Ubuntu run: sudo apt-get install -y --no-install-recommends ${packages}`;
}

function find(server) {
  let tooOld;
  for (const folder of searchPath()) {
    for (const command of server.commands) {
      const path = join(folder, command);
      if (!isExecutable(path)) continue;
      const version = versionOf(path, server);
      if (version === undefined) continue;
      if (isAtLeast(version, server.floor)) return { ...server, path };
      tooOld = `${command} ${server.floor.join('.')} or newer (${path} is ${version.join('.')})`;
    }
  }
  return { ...server, path: undefined, tooOld };
}

/** PATH, and where Debian keeps servers from ordinary users' PATH. */
function searchPath() {
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return [...new Set([...path, '/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin'])];
}

function versionOf(path, server) {
  const run = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'pipe'] });
  const match = server.answers.exec(`${run.stdout}${run.stderr}`);
  return match ? match.slice(1).filter(Boolean).map(Number) : undefined;
}

function isAtLeast([major, minor], [floorMajor, floorMinor]) {
  return major > floorMajor || (major === floorMajor && minor >= floorMinor);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
