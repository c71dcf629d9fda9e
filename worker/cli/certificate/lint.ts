import { type CommandIo, EXIT } from '#cli/command.ts';
import { onlyPositional } from '#cli/flags.ts';
import { openCommandKey } from '#cli/open-key.ts';
import { readText } from '#cli/read-text.ts';
import type { Certificate } from '#crypto/certificate.ts';
import { orderChain } from '#crypto/chain.ts';
import { lintCertificate } from '#crypto/lint.ts';
import type { Finding } from '#crypto/lint-rules.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';

export interface LintFlags {
  readonly chain?: string | undefined;
  readonly key?: string | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** `attestry certificate lint`: judges a certificate, with its chain and key where they are given. */
export async function lintCommand(files: readonly string[], flags: LintFlags, io: CommandIo): Promise<number> {
  const file = onlyPositional(files, 'certificate file');
  const [leaf, ...appended] = parseCertificates(await readText(io, 'FILE', file));
  if (!leaf) throw new AppError('internal', 'a certificate file without certificates was read');
  const others = flags.chain === undefined ? [] : parseCertificates(await readText(io, '--chain', flags.chain));
  await using opened = flags.key === undefined ? undefined : await openCommandKey(io, '--key', flags.key);
  const chain = [...appended, ...others];
  const key = opened === undefined ? {} : { key: opened.key.publicKey };
  const findings = lintCertificate({ leaf, chain, ...key, now: io.now() });
  const shown = flags.quiet ? findings.filter(({ level }) => level === 'error') : findings;
  io.stdout(flags.json ? jsonReport(leaf, chain, findings) : textReport(leaf, chain, shown, flags.quiet === true));
  return findings.some(({ level }) => level === 'error') ? EXIT.fail : EXIT.ok;
}

/** The chain as the findings number it: ordered when it can be, the leaf alone when not. */
function numbered(leaf: Certificate, others: readonly Certificate[]): readonly Certificate[] {
  try {
    return orderChain(leaf, others).chain;
  } catch {
    return [leaf];
  }
}

function jsonReport(leaf: Certificate, others: readonly Certificate[], findings: readonly Finding[]): string {
  const certificates = numbered(leaf, others).map((certificate) => ({
    subject: certificate.subject,
    issuer: certificate.issuer,
    fingerprint: certificate.fingerprint,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    subjectAlternativeNames: certificate.subjectAlternativeNames,
  }));
  const ok = !findings.some(({ level }) => level === 'error');
  return `${JSON.stringify({ ok, certificates, findings }, null, 2)}\n`;
}

function textReport(
  leaf: Certificate,
  others: readonly Certificate[],
  findings: readonly Finding[],
  quiet: boolean,
): string {
  const chain = numbered(leaf, others);
  const list = chain.map(
    ({ subject, notAfter }, index) => `certificate ${index}: "${subject}", until ${notAfter.toISOString()}\n`,
  );
  const lines = findings.map(
    ({ rule, level, message, mend, certificate }) =>
      `${level}: ${rule}: certificate ${certificate}: ${message}\n  mend: ${mend}\n`,
  );
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.length - errors;
  const counts = `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  const summary = `${errors === 0 ? 'fit' : 'not fit'} to sign: ${counts}\n`;
  return quiet ? lines.join('') : [...list, ...lines, summary].join('');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
