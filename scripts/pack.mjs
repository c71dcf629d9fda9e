// npm run prepack: makes dist/, the JavaScript of the published package. Node strips no types below node_modules.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensurePackages } from './setup/packages.mjs';
import { findNode } from './setup/runtime.mjs';
import { SetupError, say } from './setup/setup-error.mjs';
import { ROOT } from './setup.mjs';

try {
  await ensurePackages(ROOT, say, { dev: false });
  const flags = ['--disable-warning=ExperimentalWarning'];
  const script = join(ROOT, 'scripts', 'packing', 'make-dist.mjs');
  // Standard output belongs to `npm pack --json`.
  const child = spawn(findNode(ROOT), [...flags, script, ROOT], { stdio: ['ignore', 2, 2] });
  process.exitCode = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  process.exitCode = 2;
}
