import { attestExit, attestJson, attestNotes, attestText } from '#cli/attest-report.ts';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { requestedType } from '#cli/evidence-type.ts';
import { evidenceRepository, onlyPositional, parseFlags, showHelp } from '#cli/flags.ts';
import { type GivenFile, givenWish, readGiven } from '#cli/given-evidence.ts';
import type { HandInFlags } from '#cli/hand-in.ts';
import { LAYOUT_OPTIONS, layoutWish } from '#cli/layout-flags.ts';
import { localRegistries } from '#cli/local-engine.ts';
import { openCommandKey } from '#cli/open-key.ts';
import { createProgress } from '#cli/progress.ts';
import { readText } from '#cli/read-text.ts';
import { AppError } from '#model/errors.ts';
import { type ImageRef, parseImageRef } from '#model/image-ref.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';

const USAGE = `
Usage: attestry attest IMAGE --key FILE --certificate FILE --certificate-chain FILE [OPTIONS]
       attestry attest IMAGE --predicate FILE --type TYPE --key FILE [OPTIONS]
       attestry attest IMAGE --predicate FILE --type TYPE --server URL [--signer ID]

Makes the evidence that IMAGE lacks, signs it, attaches it and reads it back.
What is there and verifies under the same certificate chain is left alone. With --predicate, what
FILE says is signed instead. With --server, an installation signs it, when its rules allow that.

  --type TYPE               cyclonedx, spdxjson, slsaprovenance1, signature, or a predicateType URI; may
                            be repeated (default: cyclonedx and slsaprovenance1). With --predicate: any
                            name of cosign's, vulns, test-result, or any predicateType URI
  --predicate FILE          the predicate, JSON; checked by the form of its type
  --statement               FILE is a whole in-toto statement, signed unaltered
  --append                  keep what this signer signed of the type before beside it
  --server URL              the producer of an installation; its token in ATTESTRY_TOKEN
  --signer ID               which signer of the installation's rule, where it names several
  --key KEY                 private key (PEM file), env:NAME (passphrase in COSIGN_PASSWORD), or
                            awskms://, azurekms://, gcpkms://, hashivault://, pkcs11:
  --certificate FILE        certificate of the key; without it a plain key signs
  --certificate-chain FILE  intermediates and root, in any order
  --layout LAYOUT           cosign-tag, bundle or both (default: cosign-tag with a certificate, both
                            with a plain key)
  --hiding refuse|warn      what to do where a first bundle would hide evidence of others (default:
                            refuse)
  --repository REPOSITORY   exact repository that holds the evidence (as COSIGN_REPOSITORY)
  --oci-repo REPOSITORY     the same, at REPOSITORY/container
  --oci-layout DIR          read and write IMAGE in the OCI image layout in DIR, and dial no registry
  --force                   make the evidence anew; replaces this signer's own only
  --json                    print type, location, digest and state of each attestation
  --quiet                   no progress

Exit: 0 attached or already there, 2 could not, 64 usage.
`;

const OPTIONS = {
  type: { type: 'string', multiple: true },
  predicate: { type: 'string' },
  statement: { type: 'boolean' },
  append: { type: 'boolean' },
  server: { type: 'string' },
  signer: { type: 'string' },
  key: { type: 'string' },
  certificate: { type: 'string' },
  'certificate-chain': { type: 'string' },
  repository: { type: 'string' },
  'oci-repo': { type: 'string' },
  'oci-layout': { type: 'string' },
  force: { type: 'boolean' },
  ...LAYOUT_OPTIONS,
} as const;

export async function attestCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const image = parseImageRef(onlyPositional(positionals, 'IMAGE'));
  const repository = evidenceRepository(values);
  const given = await readGiven(io, values);
  if (values.server !== undefined) return handInCommand(io, image, given, { ...values, server: values.server });
  if (values.signer !== undefined) {
    throw new AppError('usage', '--signer needs --server', { mend: 'name a key of your own with --key' });
  }
  const types = given ? [] : (values.type ?? ['cyclonedx', 'slsaprovenance1']).map(requestedType);
  if (values.key === undefined) throw new AppError('usage', '--key is missing', { mend: 'see --help' });
  await using opened = await openCommandKey(io, '--key', values.key);
  const signer = await loadSigner(io, opened.key, values);
  const [{ attestImage }, { resolveSubject }, { attestPorts }, { signerAttestor }, { signerKind }] = await Promise.all([
    import('#engine/attest.ts'),
    import('#engine/resolve.ts'),
    import('#cli/attest-ports.ts'),
    import('#engine/signer-attestor.ts'),
    import('#signing/signer-kind.ts'),
  ]);
  const registries = await localRegistries(io, values['oci-layout']);
  const progress = createProgress(io, values.quiet === true);
  try {
    const ports = attestPorts(registries, io);
    const identity = { signer, former: [] };
    const stored = layoutWish(values, signerKind(signer));
    const named = { ...image, registry: registries.nameOf(image.registry) };
    const subject = await resolveSubject(registries.target(named.registry), named, io.signal);
    const append = values.append === true;
    const wanted = given ? [await givenWish(given, subject.image, append, io.now())] : types;
    const report = await attestImage(
      {
        subject,
        wishes: wanted.map((each) => ({
          ...each,
          identity,
          attestor: signerAttestor(signer),
          ...(repository === undefined ? {} : { repository }),
          ...stored,
          platforms: given === undefined && (each.type === 'cyclonedx' || each.type === 'spdxjson'),
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
    io.stdout(values.json ? attestJson(report) : attestText(report.evidence));
    for (const note of attestNotes(report.evidence)) io.stderr(`attestry: ${note}\n`);
    return attestExit(report.evidence, values.layout !== undefined);
  } finally {
    progress.end();
    await registries.close();
  }
}

async function handInCommand(
  io: CommandIo,
  image: ImageRef,
  given: GivenFile | undefined,
  values: HandInFlags & { readonly key?: string | undefined; json?: boolean | undefined },
): Promise<number> {
  if (!given) throw new AppError('usage', '--server needs --predicate', { mend: 'name what is to be signed' });
  if (values.key !== undefined) throw new AppError('usage', '--server and --key exclude each other');
  const { handIn } = await import('#cli/hand-in.ts');
  const answer = await handIn(io, await pinned(io, image), given, values);
  const { predicateType, statement, job } = answer;
  io.stdout(
    values.json
      ? `${JSON.stringify(answer, null, 2)}\n`
      : `${job.state}\t${predicateType}\t${answer.image}\t${statement}\n`,
  );
  return EXIT.ok;
}

/** A tag as the digest that it names now: what is handed in must not follow it elsewhere. */
async function pinned(io: CommandIo, image: ImageRef): Promise<ImageRef> {
  if (image.digest !== undefined) return image;
  const registries = await localRegistries(io);
  try {
    const target = registries.target(image.registry);
    return { ...image, digest: (await target.resolve(image.repository, image.tag ?? 'latest', io.signal)).digest };
  } finally {
    await registries.close();
  }
}

async function loadSigner(
  io: CommandIo,
  key: SigningKey,
  flags: { certificate?: string | undefined; 'certificate-chain'?: string | undefined },
) {
  if (flags.certificate === undefined) {
    if (flags['certificate-chain'] !== undefined) {
      throw new AppError('usage', '--certificate-chain needs --certificate', { mend: 'name the leaf certificate too' });
    }
    const { createKeySigner } = await import('#signing/key.ts');
    return createKeySigner({ id: 'command-line', key });
  }
  if (flags['certificate-chain'] === undefined) {
    throw new AppError('usage', '--certificate needs --certificate-chain', {
      mend: 'name a file with the intermediates and the root of the certificate',
    });
  }
  const certificatePem = await readText(io, '--certificate', flags.certificate);
  const chainPem = await readText(io, '--certificate-chain', flags['certificate-chain']);
  const { createX509Signer } = await import('#signing/x509.ts');
  return createX509Signer({ id: 'command-line', key, certificatePem, chainPem, now: io.now() });
}
