import type { TrustOptions } from '#trust/options.ts';
import type { Attestor } from '#verification/attestor.ts';
import { chainAttestor, keyAttestor } from '#verification/attestor-from-pem.ts';

/** The configured trusts by id: whose evidence counts as present. Our own reading is the strict one. */
export async function loadTrusts(
  options: readonly TrustOptions[],
  readFile: (path: string) => Promise<Buffer>,
): Promise<ReadonlyMap<string, Attestor>> {
  const trusts = new Map<string, Attestor>();
  for (const option of options) {
    trusts.set(option.id, attestorOf(option, (await readFile(option.anchors.file)).toString('utf8')));
  }
  return trusts;
}

function attestorOf({ anchors, identity, requireLog }: TrustOptions, pem: string): Attestor {
  const named = { ...(identity === undefined ? {} : { identity }), requireLog };
  switch (anchors.kind) {
    case 'key':
      return keyAttestor(pem, requireLog);
    case 'caRoots':
      return chainAttestor({ roots: pem, ...named });
    case 'certificateChain':
      return chainAttestor({ chain: pem, ...named });
  }
}
