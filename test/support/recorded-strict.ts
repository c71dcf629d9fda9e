import { readPublicKey } from '#crypto/keys.ts';
import { type Attestor, exactly, type TextRule } from '#verification/attestor.ts';
import { rootAttestor, type WitnessDemands, witnessedKeyAttestor } from '#verification/root-attestor.ts';
import { parseTrustedRoot, type TrustedRoot } from '#verification/trusted-root.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type BundleCase, type BundleCheck, bundlesOf, corpusKey } from './bundle-corpus.ts';
import { readFlags } from './recorded-cosign.ts';
import { RECORDED_NOW } from './recorded-verdicts.ts';

/** What our strict reading says of an image's bundles under a trust that asks for what a command line of cosign asks. */
export function strictOnBundles(recorded: BundleCase, { args = [] }: BundleCheck): 'pass' | 'fail' {
  const attestor = attestorOf(readFlags(args));
  const { digest } = recorded;
  const holds = bundlesOf(recorded).some((raw) => {
    const { held, statement } = verifyEvidence(raw, { digest, attestor, now: RECORDED_NOW });
    return held === true && statement !== undefined;
  });
  return holds ? 'pass' : 'fail';
}

const NO_ROOT: TrustedRoot = { certificateAuthorities: [], logs: [], certificateLogs: [], timestampAuthorities: [] };

function attestorOf(flags: ReturnType<typeof readFlags>): Attestor {
  const file = flags['trusted-root'];
  const root = file === undefined ? NO_ROOT : parseTrustedRoot(Buffer.from(corpusKey(file)));
  const demands: WitnessDemands = {
    transparencyLog: flags['insecure-ignore-tlog'] ? 'ignored' : 'required',
    certificateTimestamp: flags['insecure-ignore-sct'] ? 'ignored' : 'required',
    timestamps: flags['use-signed-timestamps'] ? 'required' : 'optional',
  };
  if (flags.key !== undefined) return witnessedKeyAttestor(readPublicKey(corpusKey(flags.key)), root, demands);
  const subject = ruleOf(flags['certificate-identity']);
  const issuer = ruleOf(flags['certificate-oidc-issuer']);
  return rootAttestor(root, { ...(subject ? { subject } : {}), ...(issuer ? { issuer } : {}) }, demands);
}

function ruleOf(text: string | undefined): TextRule | undefined {
  return text === undefined ? undefined : exactly(text);
}
