import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.mjs';
import { SetupError } from './setup-error.mjs';

const MODULE = 'github.com/sigstore/cosign/v2/cmd/cosign';
const VERSION = 'v2.6.5';

/**
 * The cosign that judges our evidence in the interop suite, built once into the clone.
 * @returns its path
 * @throws SetupError when Go is missing or the build fails.
 */
export async function ensureCosign({ root, say }) {
  const folder = join(root, '.attestry', 'tools', `cosign-${VERSION}`);
  const path = join(folder, 'cosign');
  if (existsSync(path)) return path;
  return withLock(join(root, '.attestry', 'cosign.lock'), say, async () => {
    if (existsSync(path)) return path;
    mkdirSync(folder, { recursive: true });
    say(`building cosign ${VERSION} with go install (about two minutes) ...`);
    const { code, output } = await goInstall(root, folder);
    if (code !== 0 || !existsSync(path)) {
      throw new SetupError(`cosign ${VERSION} could not be built: ${output.trim().split('\n').at(-1)}`);
    }
    return path;
  });
}

function goInstall(root, folder) {
  const env = { ...process.env, GOBIN: folder, CGO_ENABLED: '0', GOFLAGS: '-trimpath' };
  if (!process.env.HOME) {
    // Without a home, Go has no place for its caches either.
    env.GOPATH = join(root, '.attestry', 'go');
    env.GOCACHE = join(root, '.attestry', 'go-build');
  }
  return new Promise((resolve, reject) => {
    const child = spawn('go', ['install', `${MODULE}@${VERSION}`], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output = `${output}${chunk}`.slice(-8192);
      });
    }
    child.once('error', (error) => {
      if (error.code !== 'ENOENT') reject(error);
      reject(
        new SetupError('the interop suite needs Go 1.25 or newer on PATH to build cosign; install it from go.dev'),
      );
    });
    child.once('close', (code) => resolve({ code, output }));
  });
}
