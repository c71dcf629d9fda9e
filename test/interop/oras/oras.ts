import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';
import { type CommandResult, runCommand } from '../../support/run-command.ts';

/** Runs oras in a folder of its own; it must end well. */
export async function oras(dir: string, args: readonly string[]): Promise<CommandResult> {
  const env = { PATH: process.env.PATH, HOME: dir };
  const result = await runCommand(toolPath(CLONE, 'oras'), args, { cwd: dir, env });
  if (result.code !== 0) throw new Error(`oras ${args.join(' ')}: ${result.stdout}${result.stderr}`);
  return result;
}

export interface Discovered {
  readonly reference: string;
  readonly digest: string;
  readonly artifactType: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** `oras discover`: what refers to an image. */
export async function discover(dir: string, reference: string): Promise<readonly Discovered[]> {
  const { stdout } = await oras(dir, ['discover', '--plain-http', '--format', 'json', reference]);
  const answer = JSON.parse(stdout);
  return answer.referrers ?? answer.manifests ?? [];
}
