import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { canInstall, installWithApt } from './apt.mjs';
import { canUnpack, unpackedPath, unpackWithApt } from './apt-unpack.mjs';
import { withLock } from './lock.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Servers that Attestry starts on this machine, by the names that distributions and upstream give them. `floor` is the
 * oldest version that will do; `answers` is how the right program shows itself, since `registry` is a common name, when it
 * is asked `--version` or what `ask` says.
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
  {
    id: 'nats',
    commands: ['nats-server'],
    package: 'nats-server',
    // The first with JetStream as its clients speak it.
    floor: [2, 9],
    answers: /nats-server: v(\d+)\.(\d+)/,
  },
  {
    // No server: the tool of a token in software, which comes with its PKCS #11 module.
    id: 'softhsm',
    commands: ['softhsm2-util'],
    package: 'softhsm2',
    floor: [2, 5],
    answers: /^(\d+)\.(\d+)/m,
  },
  {
    // The responder of OCSP that it holds.
    id: 'openssl',
    commands: ['openssl'],
    package: 'openssl',
    floor: [3, 0],
    ask: 'version',
    answers: /^OpenSSL (\d+)\.(\d+)/,
  },
  {
    id: 'postgres',
    commands: ['postgres'],
    package: 'postgresql',
    floor: [13, 0],
    answers: /postgres \(PostgreSQL\) (\d+)\.(\d+)/,
  },
];

/**
 * Finds the servers of these ids (`redis`, `registry`, `nats`…); with `root`, the clone, what is missing is
 * installed where that is allowed.
 * @returns the paths by id
 * @throws SetupError naming what to run when something is missing and cannot be installed.
 */
export async function ensureServers({ ids, say, root }) {
  const wanted = SERVERS.filter((server) => ids.includes(server.id));
  const look = () => wanted.map((server) => find(server, root));
  let found = look();
  if (root !== undefined && found.some(isMissing)) {
    found = await withLock(join(root, '.attestry', 'servers.lock'), say, async () => {
      if (look().some(isMissing)) await install(root, look().filter(isMissing), say);
      return look();
    });
  }
  const missing = found.filter(isMissing);
  if (missing.length > 0) throw new SetupError(refusal(missing));
  return Object.fromEntries(found.map((server) => [server.id, server.path]));
}

async function install(root, missing, say) {
  if (canInstall()) {
    await installWithApt(
      missing.map((server) => server.package),
      say,
    );
  } else if (canUnpack()) {
    // What was unpacked for an earlier command is replaced, and so belongs to the new set.
    const all = SERVERS.map((server) => find(server, root)).filter((server) =>
      isMissing(server) ? missing.some(({ id }) => id === server.id) : server.unpacked,
    );
    try {
      unpackWithApt({
        root,
        packages: all.map((server) => server.package),
        commands: all.flatMap((at) => at.commands),
        say,
      });
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      throw new SetupError(`${error.message}; ${refusal(missing)}`, { cause: error });
    }
  }
}

function isMissing(server) {
  return server.path === undefined;
}

function refusal(missing) {
  const names = missing.map((server) => server.tooOld ?? server.commands[0]).join(', ');
  const packages = missing.map((server) => server.package).join(' ');
  return `needed and not found: ${names}; on Debian and Ubuntu run: sudo apt-get install -y --no-install-recommends ${packages}`;
}

function find(server, root) {
  const inClone = root === undefined ? undefined : unpackedPath(root);
  let tooOld;
  for (const folder of [...searchPath(), ...(inClone === undefined ? [] : [inClone])]) {
    for (const command of server.commands) {
      const path = join(folder, command);
      if (!isExecutable(path)) continue;
      const version = versionOf(path, server);
      if (version === undefined) continue;
      if (isAtLeast(version, server.floor)) return { ...server, path, unpacked: folder === inClone };
      tooOld = `${command} ${server.floor.join('.')} or newer (${path} is ${version.join('.')})`;
    }
  }
  return { ...server, path: undefined, unpacked: false, tooOld };
}

/** PATH, and where Debian keeps servers from ordinary users' PATH. */
function searchPath() {
  const path = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const usual = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin'];
  return [...new Set([...path, ...usual, ...postgresFolders()])];
}

/** Debian keeps each major version of PostgreSQL apart; the newest first. */
function postgresFolders() {
  const base = '/usr/lib/postgresql';
  if (!existsSync(base)) return [];
  const versions = readdirSync(base).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(base, version, 'bin'));
}

function versionOf(path, server) {
  const run = spawnSync(path, [server.ask ?? '--version'], {
    encoding: 'utf8',
    timeout: 10_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
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
