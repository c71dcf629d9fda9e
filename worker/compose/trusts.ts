import { readPublicKey } from '#crypto/keys.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import type { TrustOptions } from '#trust/options.ts';
import type { Attestor } from '#verification/attestor.ts';

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
  const transparencyLog = requireLog ? 'required' : 'ignored';
  if (anchors.kind === 'key') {
    return { kind: 'public-key', key: readPublicKey(pem), profile: 'strict', transparencyLog };
  }
  const certificates = parseCertificates(pem);
  const trusted = anchors.kind === 'caRoots' ? certificates : certificates.filter((each) => each.selfIssued);
  return {
    kind: 'certificate-chain',
    anchors: trusted,
    intermediates: certificates.filter((each) => !trusted.includes(each)),
    profile: 'strict',
    ...(identity === undefined ? {} : { identity }),
    transparencyLog,
    certificateTimestamp: 'ignored',
  };
}
