import type { Certificate } from '#crypto/certificate.ts';
import { describeKey, keyKind } from '#crypto/key-kind.ts';
import type { Finding, LintRule } from '#crypto/lint-rules.ts';
import { ANY_EXTENDED_KEY_USAGE, CODE_SIGNING } from '#crypto/path-rules.ts';
import { SIGNATURE_ALGORITHMS } from '#crypto/signature-algorithm.ts';

/** Days before its end at which a certificate is worth a warning. */
const SOON_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/** What must hold for each certificate of an ordered chain, leaf included. */
export function lintChain(chain: readonly Certificate[], now: Date): readonly Finding[] {
  return chain.flatMap((certificate, index) => {
    const report = (rule: LintRule, message: string, mend: string, level: Finding['level'] = 'error'): Finding => ({
      rule,
      level,
      message,
      mend,
      certificate: index,
    });
    return [
      ...lintValidity(certificate, now, report),
      ...lintStrength(certificate, index === chain.length - 1, report),
      ...(index === 0 ? [] : lintIssuer(certificate, chain.slice(1, index), report)),
    ];
  });
}

type Report = (rule: LintRule, message: string, mend: string, level?: Finding['level']) => Finding;

function lintValidity({ notBefore, notAfter }: Certificate, now: Date, report: Report): readonly Finding[] {
  if (now > notAfter) return [report('not-expired', `it expired at ${notAfter.toISOString()}`, 'renew it')];
  if (now < notBefore) {
    const message = `it is valid from ${notBefore.toISOString()} only`;
    return [report('valid-already', message, 'wait until then, or check the clock of this machine')];
  }
  const days = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
  if (days >= SOON_DAYS) return [];
  const message = `it expires in ${days} days, at ${notAfter.toISOString()}; signatures without a timestamp fall with it`;
  return [report('expires-soon', message, 'renew it now', 'warning')];
}

function lintStrength(certificate: Certificate, isRoot: boolean, report: Report): readonly Finding[] {
  const found: Finding[] = [];
  const kind = keyKind(certificate.publicKey);
  const name = describeKey(kind);
  const mend = 'issue it again for an ECDSA P-256 key or an RSA key of 2048 bits or more';
  if (kind.type === 'rsa' && kind.bits < 2048)
    found.push(report('key-size', `its key is ${name}, below 2048 bits`, mend));
  if (kind.type === 'rsa' && (kind.exponent < 3n || kind.exponent % 2n === 0n)) {
    found.push(report('key-size', `the public exponent of its key is ${kind.exponent}`, mend));
  }
  if (kind.type === 'ecdsa' && kind.curve === 'P-224') found.push(report('key-size', `its key is ${name}`, mend));
  if (kind.type === 'other') found.push(report('key-kind', `its key is of the kind ${name}`, mend));
  // Nobody verifies the signature that a root puts on itself.
  const algorithm = SIGNATURE_ALGORITHMS[certificate.signatureAlgorithm];
  if (!isRoot && !algorithm) {
    found.push(
      report(
        'sound-signature',
        `its issuer signed with ${certificate.signatureAlgorithm}, which verifiers do not know`,
        'have it issued with SHA-256',
      ),
    );
  } else if (!isRoot && algorithm?.weak) {
    found.push(
      report(
        'sound-signature',
        `its issuer signed with ${certificate.signatureAlgorithm}, which can be forged`,
        'have it issued with SHA-256: openssl x509 -req -sha256 …',
      ),
    );
  }
  if (certificate.unknownCritical.length > 0) {
    const message = `its critical extension ${certificate.unknownCritical.join(', ')} is not known to verifiers`;
    found.push(
      report('critical-extension', message, 'issue it again without that extension, or without marking it critical'),
    );
  }
  return found;
}

function lintIssuer(issuer: Certificate, below: readonly Certificate[], report: Report): readonly Finding[] {
  const found: Finding[] = [];
  const usages = issuer.extendedKeyUsage;
  if (!issuer.basicConstraints?.ca) {
    found.push(
      report(
        'issuer-is-ca',
        'it issued a certificate of the chain and is no CA',
        'issue it again with the extension line: basicConstraints = critical, CA:TRUE',
      ),
    );
  }
  if (issuer.keyUsage && !issuer.keyUsage.includes('keyCertSign')) {
    found.push(
      report(
        'key-usage',
        `its key usage (${issuer.keyUsage.join(', ') || 'empty'}) lacks keyCertSign`,
        'issue it again with the extension line: keyUsage = critical, keyCertSign, cRLSign',
      ),
    );
  }
  if (usages && !usages.includes(CODE_SIGNING) && !usages.includes(ANY_EXTENDED_KEY_USAGE)) {
    found.push(
      report(
        'code-signing-issuer',
        `its extended key usage (${usages.join(', ') || 'empty'}) forbids code signing below it`,
        'issue it again without extendedKeyUsage, or with codeSigning in it',
      ),
    );
  }
  const pathLength = issuer.basicConstraints?.pathLength;
  const depth = below.filter(({ selfIssued }) => !selfIssued).length;
  if (pathLength !== undefined && depth > pathLength) {
    found.push(
      report(
        'path-length',
        `its path length allows ${pathLength} CA certificates below it, and there are ${depth}`,
        'issue the signing certificate higher up, or this CA again with a larger pathlen',
      ),
    );
  }
  return found;
}
