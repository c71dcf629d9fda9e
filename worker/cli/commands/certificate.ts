import { type CommandIo, EXIT } from '#cli/command.ts';
import { onlyPositional, parseFlags, showHelp } from '#cli/flags.ts';
import { readText } from '#cli/read-text.ts';
import type { Certificate } from '#crypto/certificate.ts';
import { orderChain } from '#crypto/chain.ts';
import { readPrivateKey } from '#crypto/keys.ts';
import { lintCertificate } from '#crypto/lint.ts';
import type { Finding } from '#crypto/lint-rules.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';

const USAGE = `
Usage: attestry certificate lint FILE [--chain FILE] [--key FILE] [--json]

Says whether a certificate is fit to sign evidence that cosign and Kyverno verify.

FILE holds the signing certificate in PEM; its issuers may follow in the same file.

  --chain FILE, --certificate-chain FILE
                 intermediates and root, in any order
  --key FILE     the private key, to see whether it belongs to the certificate;
                 env:NAME reads a variable. COSIGN_PASSWORD holds its passphrase
  --json         the findings as JSON
  --quiet        nothing but errors

Exit: 0 no rule is broken, 1 a rule is broken, 2 a file could not be read, 64 wrong usage.
`;

const FLAGS = {
  chain: { type: 'string' },
  'certificate-chain': { type: 'string' },
  key: { type: 'string' },
} as const;

/** `attestry certificate lint`. */
export async function certificateCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, FLAGS);
  if (values.help) return showHelp(io, USAGE);
  const [verb, ...files] = positionals;
  if (verb !== 'lint') {
    const given = verb === undefined ? 'nothing is asked' : `there is no "certificate ${verb}"`;
    throw new AppError('usage', given, { mend: 'the only one is: attestry certificate lint FILE' });
  }
  const file = onlyPositional(files, 'certificate file');
  if (values.chain !== undefined && values['certificate-chain'] !== undefined) {
    throw new AppError('usage', '--chain and --certificate-chain are the same flag', { mend: 'give one of them' });
  }
  const [leaf, ...appended] = parseCertificates(await readText(io, 'FILE', file));
  if (!leaf) throw new AppError('internal', 'a certificate file without certificates was read');
  const chainFile = values.chain ?? values['certificate-chain'];
  const others = chainFile === undefined ? [] : parseCertificates(await readText(io, '--chain', chainFile));
  const key = values.key === undefined ? undefined : await readKey(io, values.key);
  const chain = [...appended, ...others];
  const findings = lintCertificate({ leaf, chain, ...(key ? { key } : {}), now: io.now() });
  const shown = values.quiet ? findings.filter(({ level }) => level === 'error') : findings;
  io.stdout(values.json ? jsonReport(leaf, chain, findings) : textReport(leaf, chain, shown, values.quiet === true));
  return findings.some(({ level }) => level === 'error') ? EXIT.fail : EXIT.ok;
}

async function readKey(io: CommandIo, path: string): Promise<ReturnType<typeof readPrivateKey>> {
  const { COSIGN_PASSWORD: passphrase } = io.env;
  // Shells export it empty to say that there is none.
  return readPrivateKey(await readText(io, '--key', path), passphrase === '' ? undefined : passphrase);
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
