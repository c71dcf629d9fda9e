import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './setup-error.mjs';

const LONGEST_MS = 10 * 60_000;

/** Where servers that were unpacked into the clone are found; goes in front of PATH. */
export function unpackedPath(root) {
  return join(root, '.attestry', 'servers', 'bin');
}

/** Whether Debian packages can be fetched and unpacked without being root. */
export function canUnpack() {
  return ['apt-get', 'dpkg-deb', 'dpkg'].every((program) => run(program, ['--version']).status === 0);
}

/**
 * Fetches packages, with what they need and this machine lacks, by apt's own settings and signatures, and unpacks them into
 * the clone: nothing is installed, and no right is needed.
 * @throws SetupError with apt's last words.
 */
export function unpackWithApt({ root, packages, commands, say }) {
  const base = join(root, '.attestry', 'servers');
  say(`fetching ${packages.join(', ')} with apt-get into ${base}; nothing is installed on the system ...`);
  const fresh = `${base}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const archives = join(fresh, 'apt', 'cache', 'archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  mkdirSync(join(fresh, 'apt', 'state', 'lists', 'partial'), { recursive: true });
  const apt = [
    ...['-q', '-y', '-o', 'Debug::NoLocking=1', '-o', `Dir::State=${join(fresh, 'apt', 'state')}`],
    ...['-o', 'Dir::State::status=/var/lib/dpkg/status', '-o', `Dir::Cache=${join(fresh, 'apt', 'cache')}`],
  ];
  mustRun('apt-get', [...apt, 'update']);
  mustRun('apt-get', [...apt, 'install', '--download-only', '--no-install-recommends', ...packages]);
  for (const name of readdirSync(archives).filter((file) => file.endsWith('.deb'))) {
    mustRun('dpkg-deb', ['--extract', join(archives, name), fresh]);
  }
  rmSync(join(fresh, 'apt'), { recursive: true });
  rmSync(base, { recursive: true, force: true });
  renameSync(fresh, base);
  writeWrappers(root, base, commands);
}

/** The programs look for their libraries where packages put them; these scripts say where that is now. */
function writeWrappers(root, base, commands) {
  const triplet = run('dpkg', ['--print-architecture']).stdout.trim() === 'arm64' ? 'aarch64' : 'x86_64';
  const libraries = ['usr/lib', 'lib'].map((folder) => join(base, folder, `${triplet}-linux-gnu`)).join(':');
  mkdirSync(unpackedPath(root), { recursive: true });
  for (const command of commands) {
    const program = ['usr/bin', 'usr/sbin'].map((folder) => join(base, folder, command)).find(existsSync);
    if (program === undefined) continue;
    const wrapper = join(unpackedPath(root), command);
    writeFileSync(
      wrapper,
      `#!/bin/sh\nLD_LIBRARY_PATH="${libraries}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" exec "${program}" "$@"\n`,
    );
    chmodSync(wrapper, 0o755);
  }
}

function mustRun(program, args) {
  const { status, stdout, stderr } = run(program, args);
  if (status === 0) return;
  const lines = `${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const words = lines.filter((line) => /^E:|error/i.test(line)).at(-1) ?? lines.at(-1) ?? 'it gave no reason';
  throw new SetupError(`${program} could not fetch the servers: ${words}`);
}

function run(program, args) {
  return spawnSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_MS });
}
