import type { TrustOptions } from '#trust/options.ts';
import type { Attestor, RevocationRule } from '#verification/attestor.ts';
import { chainAttestor, keyAttestor } from '#verification/attestor-from-pem.ts';

/**
 * The configured trusts by id: whose evidence counts as present. Our own reading is the strict one.
 * @param revocation rules by the id of the trust
 */
export async function loadTrusts(
  options: readonly TrustOptions[],
  readFile: (path: string) => Promise<Buffer>,
  revocation: ReadonlyMap<string, RevocationRule> = new Map(),
): Promise<ReadonlyMap<string, Attestor>> {
  const trusts = new Map<string, Attestor>();
  for (const option of options) {
    const attestor = attestorOf(option, (await readFile(option.anchors.file)).toString('utf8'));
    const rule = revocation.get(option.id);
    trusts.set(option.id, rule && attestor.kind === 'certificate-chain' ? { ...attestor, revocation: rule } : attestor);
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
