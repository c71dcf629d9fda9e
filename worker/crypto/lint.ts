import type { KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { type OrderedChain, orderChain } from '#crypto/chain.ts';
import { lintChain } from '#crypto/lint-chain.ts';
import { lintLeaf } from '#crypto/lint-leaf.ts';
import type { Finding } from '#crypto/lint-rules.ts';
import { verifyPath } from '#crypto/path.ts';
import { AppError } from '#model/errors.ts';

export interface LintInput {
  readonly leaf: Certificate;
  /** Intermediates and root, in any order. */
  readonly chain: readonly Certificate[];
  /** The key that signs, or its public half, when it is to be compared. */
  readonly key?: KeyObject;
  readonly now: Date;
}

/**
 * Every rule that a signing certificate and its chain break, leaf first. No error among the findings means that cosign,
 * Kyverno and our own strict reading accept signatures made with it now.
 */
export function lintCertificate(input: LintInput): readonly Finding[] {
  const ordered = order(input);
  if (!ordered.ok) return [ordered.finding, ...lintLeaf(input.leaf, input.key), ...lintChain([input.leaf], input.now)];
  const { chain, unused } = ordered;
  const findings = [
    ...lintSelfSigned(chain),
    ...lintLeaf(input.leaf, input.key),
    ...lintChain(chain, input.now),
    ...unused.map(unusedFinding),
  ];
  return findings.some(({ level }) => level === 'error') ? findings : [...findings, ...lintPath(chain, input.now)];
}

function order(input: LintInput): ({ ok: true } & OrderedChain) | { ok: false; finding: Finding } {
  try {
    return { ok: true, ...orderChain(input.leaf, input.chain) };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'certificate-refused') throw error;
    const mend = error.mend ?? 'append the issuers up to the root to the chain file';
    return { ok: false, finding: { rule: 'chain-root', level: 'error', message: error.message, mend, certificate: 0 } };
  }
}

function lintSelfSigned(chain: readonly Certificate[]): readonly Finding[] {
  if (chain.length > 1) return [];
  const message = 'it is self-signed: whoever verifies would have to trust this one certificate as a CA';
  const mend = 'make a CA and issue the signing certificate from it';
  return [{ rule: 'not-self-signed', level: 'error', message, mend, certificate: 0 }];
}

function unusedFinding(certificate: Certificate): Finding {
  const message = `the chain file also holds "${certificate.subject}", which the chain does not need`;
  return { rule: 'chain-unused', level: 'warning', message, mend: 'remove it from the file', certificate: 0 };
}

/** What the single rules do not cover, such as name constraints: the whole path, as the verifiers will judge it. */
function lintPath(chain: readonly Certificate[], now: Date): readonly Finding[] {
  const [leaf, ...issuers] = chain;
  const root = chain.at(-1);
  if (!leaf || !root) return [];
  const input = { leaf, anchors: [root], intermediates: issuers.slice(0, -1), at: now };
  for (const profile of ['strict', 'compat'] as const) {
    const result = verifyPath({ ...input, profile });
    if (result.ok) continue;
    const mend = 'have the certificate issued so that this holds';
    return [{ rule: 'path', level: 'error', message: result.defect.message, mend, certificate: 0 }];
  }
  return [];
}
