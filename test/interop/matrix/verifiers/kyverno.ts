import { cp } from 'node:fs/promises';
import { stringify } from 'yaml';
import { toolPath } from '../../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../../support/cli.ts';
import { runCommand } from '../../../support/run-command.ts';
import { makeScratch } from '../../../support/scratch.ts';
import type { Cell, Judgement, Trust } from '../cell.ts';
import { DEAD_PROXY } from './cosign.ts';
import { imageValidatingPolicy } from './kyverno-image-policy.ts';
import { clusterPolicyOf } from './kyverno-policy.ts';

export type KyvernoKind = 'cosign' | 'bundle' | 'image-validating';

/** Kyverno by its command line, as it would admit a pod with this image. */
export async function askKyverno(kind: KyvernoKind, cell: Cell, trust: Trust, home?: string): Promise<Judgement> {
  await using scratch = await makeScratch();
  // Its cache of trust is a database that one process opens at a time: each run gets a copy.
  if (home !== undefined) await cp(home, scratch.dir, { recursive: true });
  const policy = kind === 'image-validating' ? imageValidatingPolicy : clusterPolicyOf(kind);
  const file = await scratch.write('policy.yaml', stringify(await policy(cell, trust)));
  const pod = await scratch.write('pod.yaml', podText(cell.reference));
  const flags = ['--registry', '--detailed-results', '--remove-color', '-v', '1'];
  const env = { ...DEAD_PROXY, PATH: process.env.PATH, HOME: scratch.dir };
  const args = ['apply', file, '--resource', pod, ...flags];
  const { stdout, stderr } = await runCommand(toolPath(CLONE, 'kyverno'), args, { cwd: scratch.dir, env });
  const counts = /pass: (\d+), fail: (\d+), warn: (\d+), error: (\d+), skip: (\d+)/.exec(stdout);
  if (counts === null) throw new Error(`kyverno judged nothing: ${stdout}${stderr}`);
  const [pass = 0, ...others] = counts.slice(1).map(Number);
  return { accepted: pass > 0 && others.every((count) => count === 0), said: `${stdout}${stderr}`.trim() };
}

/**
 * A home whose cache of trust holds the stack's, made by the one policy of Kyverno that can name a TUF repository: type
 * SigstoreBundle reads that cache, and its command line has no flag for it. `reference` is an image that is there.
 */
export async function prepareKyvernoHome(home: string, reference: string, trust: Trust): Promise<void> {
  await using scratch = await makeScratch();
  const cell: Cell = {
    ...{ reference, asked: 'attestation', kind: 'keyless' },
    ...{ layouts: ['bundle'], testimonies: ['rekor-v1'] },
  };
  const file = await scratch.write('policy.yaml', stringify(await imageValidatingPolicy(cell, trust)));
  const pod = await scratch.write('pod.yaml', podText(cell.reference));
  const env = { ...DEAD_PROXY, PATH: process.env.PATH, HOME: home };
  await runCommand(toolPath(CLONE, 'kyverno'), ['apply', file, '--resource', pod, '--registry'], { env });
}

function podText(image: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', namespace: 'default' },
    spec: { containers: [{ name: 'app', image }] },
  });
}
