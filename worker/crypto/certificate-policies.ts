import type { Certificate } from '#crypto/certificate.ts';
import { pathDefect } from '#crypto/path-rules.ts';
import type { EvidenceDefect } from '#model/evidence.ts';

const ANY_POLICY = '2.5.29.32.0';

/** The policies under which the path so far is valid; `any` stands for all of them. */
interface ValidPolicies {
  readonly any: boolean;
  readonly named: ReadonlySet<string>;
}

/**
 * Whether the path has a certificate policy where one of its CAs demands one (RFC 5280, 6.1, with RFC 9618). Any
 * policy will do: nobody configures a set. Policy mappings matter only under such a demand, and there the path is
 * refused rather than guessed.
 */
export function policyDefect(chain: readonly Certificate[]): EvidenceDefect | undefined {
  const leaf = chain[0];
  if (!leaf || chain.length === 1) return undefined;
  // The anchor sets no conditions; the path is walked from the certificate below it down to the leaf.
  const path = chain.slice(0, -1).reverse();
  let valid: ValidPolicies = { any: true, named: new Set() };
  let explicit = path.length + 1;
  let inhibitAny = path.length + 1;
  for (const [step, certificate] of path.entries()) {
    const isLeaf = step === path.length - 1;
    const policies = certificate.policies;
    valid = narrow(valid, policies?.policies ?? [], inhibitAny > 0 || (!isLeaf && certificate.selfIssued));
    if (isLeaf) {
      explicit = policies?.requireExplicitPolicy === 0 ? 0 : Math.max(0, explicit - 1);
      break;
    }
    if (!certificate.selfIssued) {
      explicit = Math.max(0, explicit - 1);
      inhibitAny = Math.max(0, inhibitAny - 1);
    }
    explicit = Math.min(explicit, policies?.requireExplicitPolicy ?? explicit);
    inhibitAny = Math.min(inhibitAny, policies?.inhibitAnyPolicy ?? inhibitAny);
  }
  if (explicit > 0) return undefined;
  if (path.some(({ policies }) => policies?.mappings)) {
    return pathDefect(
      'chain-untrusted',
      leaf,
      0,
      'a CA demands a certificate policy and maps policies, which is not supported',
    );
  }
  if (valid.any || valid.named.size > 0) return undefined;
  return pathDefect('chain-untrusted', leaf, 0, 'a CA demands a certificate policy, and the path has none in common');
}

function narrow(valid: ValidPolicies, policies: readonly string[], anyCounts: boolean): ValidPolicies {
  const any = anyCounts && policies.includes(ANY_POLICY);
  const named = policies.filter((policy) => policy !== ANY_POLICY && (valid.any || valid.named.has(policy)));
  return { any: any && valid.any, named: new Set(any ? [...named, ...valid.named] : named) };
}
