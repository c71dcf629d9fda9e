import { setTimeout as sleep } from 'node:timers/promises';
import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';
import { runCommand } from '../../support/run-command.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import type { AttachGround, FaultImage } from './ground.ts';
import type { AttachSize, Form } from './size.ts';

export const FOREIGN_TYPE = 'https://attestry.dev/foreign/';
const AT_ONCE = 2;
const LOOK_MS = 20;
/** No service but the registry is there, and none is asked for in vain. */
const NOWHERE = { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: 'localhost,127.0.0.1' };

export interface ForeignAttach {
  readonly image: FaultImage;
  readonly type: string;
  readonly succeeded: boolean;
}

/** `cosign attest` beside our own writers, again and again, at moments that go with the progress of the work. */
export async function attachForeign(
  form: Form,
  ground: AttachGround,
  { foreign }: AttachSize,
  progress: () => number,
  random: () => number,
  signal: AbortSignal,
): Promise<readonly ForeignAttach[]> {
  await using scratch = await makeScratch();
  const flags = await flagsOf(form, scratch);
  const made: ForeignAttach[] = [];
  let next = 0;
  async function writer(): Promise<void> {
    for (let at = next++; at < foreign; at = next++) {
      const image = ground.images[Math.floor(random() * ground.images.length)] as FaultImage;
      while (progress() < (at / foreign) * 0.95) await sleep(LOOK_MS, undefined, { signal });
      const type = `${FOREIGN_TYPE}${at}`;
      const reference = `${ground.proxy.host}/${image.repository}@${image.digest}`;
      const args = ['attest', '--type', type, '--predicate', 'predicate.json', '--yes', ...flags, reference];
      const { code } = await cosign(form, args, scratch);
      made.push({ image, type, succeeded: code === 0 });
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, writer));
  return made;
}

/** cosign 2 appends to the attestation tag, cosign 3 writes bundles. */
async function flagsOf(form: Form, scratch: Scratch): Promise<readonly string[]> {
  await scratch.write('predicate.json', '{"by":"cosign"}');
  await must(form, ['generate-key-pair'], scratch);
  if (form === 'legacy') return ['--key', 'cosign.key', '--tlog-upload=false'];
  await must(form, ['signing-config', 'create', '--out', 'no-services.json'], scratch);
  return ['--key', 'cosign.key', '--signing-config', 'no-services.json'];
}

async function must(form: Form, args: readonly string[], scratch: Scratch): Promise<void> {
  const { code, stderr } = await cosign(form, args, scratch);
  if (code !== 0) throw new Error(`cosign ${args.join(' ')}: ${stderr.slice(0, 2000)}`);
}

function cosign(form: Form, args: readonly string[], scratch: Scratch) {
  const env = { ...NOWHERE, COSIGN_PASSWORD: 'of the tests', PATH: process.env.PATH, HOME: scratch.dir };
  return runCommand(toolPath(CLONE, form === 'legacy' ? 'cosign2' : 'cosign3'), args, { cwd: scratch.dir, env });
}
