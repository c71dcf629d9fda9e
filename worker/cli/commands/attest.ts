import { type CommandIo, EXIT } from '#cli/command.ts';
import { requestedType } from '#cli/evidence-type.ts';
import { evidenceRepository, onlyPositional, parseFlags, showHelp } from '#cli/flags.ts';
import { localRegistries } from '#cli/local-engine.ts';
import { createProgress } from '#cli/progress.ts';
import { readText } from '#cli/read-text.ts';
import type { SettledEvidence } from '#engine/settle.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, parseImageRef } from '#model/image-ref.ts';

const USAGE = `
Usage: attestry attest IMAGE --key FILE --certificate FILE --certificate-chain FILE [OPTIONS]

Makes the evidence that IMAGE lacks, signs it, attaches it in cosign's layout and reads it back.
What is there and verifies under the same certificate chain is left alone.

  --type TYPE               cyclonedx, slsaprovenance1, or a predicateType URI; may be repeated
                            (default: both)
  --key FILE                private key (PEM), or env:NAME; passphrase in COSIGN_PASSWORD
  --certificate FILE        certificate of the key; without it a plain key signs
  --certificate-chain FILE  intermediates and root, in any order
  --repository REPOSITORY   exact repository that holds the evidence (as COSIGN_REPOSITORY)
  --oci-repo REPOSITORY     the same, at REPOSITORY/container
  --oci-layout DIR        read and write IMAGE in the OCI image layout in DIR, and dial no registry
  --force                   make the evidence anew; replaces this signer's own only
  --json                    print type, location, digest and state of each attestation
  --quiet                   no progress

Exit: 0 attached or already there, 2 could not, 64 usage.
`;

const OPTIONS = {
  type: { type: 'string', multiple: true },
  key: { type: 'string' },
  certificate: { type: 'string' },
  'certificate-chain': { type: 'string' },
  repository: { type: 'string' },
  'oci-repo': { type: 'string' },
  'oci-layout': { type: 'string' },
  force: { type: 'boolean' },
} as const;

export async function attestCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const image = parseImageRef(onlyPositional(positionals, 'IMAGE'));
  const repository = evidenceRepository(values);
  const types = (values.type ?? ['cyclonedx', 'slsaprovenance1']).map(requestedType);
  if (values.key === undefined) throw new AppError('usage', '--key is missing', { mend: 'see --help' });
  const signer = await loadSigner(io, { ...values, key: values.key });
  const [{ attestImage }, { resolveSubject }, { attestPorts }, { signerAttestor }] = await Promise.all([
    import('#engine/attest.ts'),
    import('#engine/resolve.ts'),
    import('#cli/attest-ports.ts'),
    import('#engine/signer-attestor.ts'),
  ]);
  const registries = await localRegistries(io, values['oci-layout']);
  const progress = createProgress(io, values.quiet === true);
  try {
    const ports = attestPorts(registries, io);
    const identity = { signer, former: [] };
    const named = { ...image, registry: registries.nameOf(image.registry) };
    const subject = await resolveSubject(registries.target(named.registry), named, io.signal);
    const report = await attestImage(
      {
        subject,
        wishes: types.map((wanted) => ({
          ...wanted,
          identity,
          attestor: signerAttestor(signer),
          ...(repository === undefined ? {} : { repository }),
          platforms: wanted.type === 'cyclonedx',
          rule: 'command line',
        })),
        maySign: true,
        mayRestore: true,
        force: values.force === true,
        signal: io.signal,
        onStep: progress.step,
      },
      ports,
    );
    progress.end();
    io.stdout(values.json ? jsonReport(report) : textReport(report.evidence));
    return EXIT.ok;
  } finally {
    progress.end();
    await registries.close();
  }
}

async function loadSigner(
  io: CommandIo,
  flags: { key: string; certificate?: string | undefined; 'certificate-chain'?: string | undefined },
) {
  const keyPem = await readText(io, '--key', flags.key);
  const passphrase = io.env.COSIGN_PASSWORD;
  const key = { id: 'command-line', keyPem, ...(passphrase ? { passphrase } : {}) };
  if (flags.certificate === undefined) {
    if (flags['certificate-chain'] !== undefined) {
      throw new AppError('usage', '--certificate-chain needs --certificate', { mend: 'name the leaf certificate too' });
    }
    const { createKeySigner } = await import('#signing/key.ts');
    return createKeySigner(key);
  }
  if (flags['certificate-chain'] === undefined) {
    throw new AppError('usage', '--certificate needs --certificate-chain', {
      mend: 'name a file with the intermediates and the root of the certificate',
    });
  }
  const certificatePem = await readText(io, '--certificate', flags.certificate);
  const chainPem = await readText(io, '--certificate-chain', flags['certificate-chain']);
  const { createX509Signer } = await import('#signing/x509.ts');
  return createX509Signer({ ...key, certificatePem, chainPem, now: io.now() });
}

type Report = Awaited<ReturnType<typeof import('#engine/attest.ts').attestImage>>;

function jsonReport({ subject, evidence }: Report): string {
  const attestations = evidence.map(({ type, predicateType, location, digest, state, subject: about }) => ({
    type,
    predicateType,
    subject: about,
    location,
    digest,
    state,
  }));
  return `${JSON.stringify({ image: formatImageRef(subject.image), digest: subject.image.digest, attestations }, null, 2)}\n`;
}

function textReport(evidence: readonly SettledEvidence[]): string {
  return evidence.map(({ state, type, location, digest }) => `${state}\t${type}\t${location}\t${digest}\n`).join('');
}
