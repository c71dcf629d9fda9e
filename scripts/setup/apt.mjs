import { spawn, spawnSync } from 'node:child_process';
import { SetupError } from './setup-error.mjs';

/**
 * Installs packages without starting them: Debian's packages start their service on installation, where it would hold
 * the very ports that we want. A policy-rc.d that says 101 forbids it (invoke-rc.d(8)); one that is there already stays. PostgreSQL's
 * package would make a database of its own as well; its settings forbid that (pg_createcluster(1)).
 */
const SCRIPT = `
set -e
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
  trap 'rm -f "$guard"' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\\nexit 101\\n' > "$guard"
  chmod 755 "$guard"
fi
export DEBIAN_FRONTEND=noninteractive
cluster=/etc/postgresql-common/createcluster.conf
if [ ! -e "$cluster" ]; then
  mkdir -p "$(dirname "$cluster")"
  echo 'create_main_cluster = false' > "$cluster"
fi
apt-get -o DPkg::Lock::Timeout=300 update -q || echo 'apt-get update failed; trying with the lists at hand' >&2
apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold install -q -y --no-install-recommends "$@"
`;

const LONGEST_MS = 10 * 60_000;

/** Whether packages can be installed without asking anybody: apt-get, and root or sudo without a password. */
export function canInstall() {
  return answers('apt-get', ['--version']) && (isRoot() || answers('sudo', ['-n', 'true']));
}

/** @throws SetupError with apt's last words. */
export async function installWithApt(packages, say) {
  say(`installing ${packages.join(', ')} with apt-get${isRoot() ? '' : ' (sudo)'}; no system service is started ...`);
  const command = ['sh', '-c', SCRIPT, 'attestry-apt', ...packages];
  const [program, ...args] = isRoot() ? command : ['sudo', '-n', ...command];
  const { code, output } = await run(program, args);
  if (code !== 0) {
    throw new SetupError(`apt-get could not install ${packages.join(', ')}: ${lastWords(output)}`);
  }
}

function run(program, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: LONGEST_MS });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = `${output}${chunk}`.slice(-16_384);
      });
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

function answers(program, args) {
  return spawnSync(program, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

function isRoot() {
  return process.getuid?.() === 0;
}

function lastWords(output) {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return lines.filter((line) => /^E:|error/i.test(line)).at(-1) ?? lines.at(-1) ?? 'it gave no reason';
}
