import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, runCommand } from './run-command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The product as npm publishes it, installed in a folder that has nothing to do with the clone. */
export interface InstalledPackage extends AsyncDisposable {
  readonly folder: string;
  /** Runs the installed `attestry`, by its link in node_modules/.bin. */
  attestry(...args: readonly string[]): Promise<CommandResult>;
}

/** Packs the clone and installs the tarball elsewhere, with its runtime dependencies from npm's cache or registry. */
export async function installPackage(): Promise<InstalledPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'attestry-package-'));
  const env = { ...process.env, npm_config_update_notifier: 'false' };
  try {
    await npm(['pack', '--silent', '--pack-destination', folder], ROOT, env);
    await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
    const tarball = join(folder, `attestry-${await packedVersion()}.tgz`);
    const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--engine-strict=false'];
    await npm(['install', ...flags, '--loglevel=error', tarball], folder, env);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    folder,
    attestry: (...args) => runCommand(join(folder, 'node_modules', '.bin', 'attestry'), args, { cwd: folder, env }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function packedVersion(): Promise<string> {
  const { default: manifest } = (await import(join(ROOT, 'package.json'), { with: { type: 'json' } })) as {
    default: { version: string };
  };
  return manifest.version;
}

async function npm(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { code, stdout, stderr } = await runCommand('npm', args, { cwd, env });
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
}
