import { type CommandIo, EXIT } from '#cli/command.ts';
import { predicateTypeOf } from '#cli/evidence-type.ts';
import { evidenceRepository, onlyPositional, parseFlags, showHelp } from '#cli/flags.ts';
import { localRegistries } from '#cli/local-engine.ts';
import { readText } from '#cli/read-text.ts';
import {
  askingRevocation,
  givenRevocationFlag,
  REVOCATION_FLAG_HELP,
  REVOCATION_FLAGS,
} from '#cli/revocation-flags.ts';
import { checkTrustFlags, givenTrustFlag, readAttestor, TRUST_FLAG_HELP, TRUST_FLAGS } from '#cli/trust-flags.ts';
import { verdictText } from '#cli/verdict-text.ts';
import type { RevocationFetcher } from '#engine/revocation.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, parseImageRef } from '#model/image-ref.ts';
import { type Verdict, worstOutcome } from '#model/verdict.ts';
import type { CompiledPolicy } from '#policy/policy.ts';

const USAGE = `
Usage: attestry verify IMAGE --policy FILE... [--trusted-root FILE]
       attestry verify IMAGE --type TYPE... TRUST

Judges the evidence of IMAGE as an admission controller would under each policy, or whether evidence of
each type holds under TRUST: a key, a CA, a trusted root.

  --policy FILE               Kyverno ClusterPolicy (YAML, several documents allowed); may be repeated.
                              For its type SigstoreBundle, --trusted-root is what the admission
                              controller's own Sigstore client trusts
  --allow-unmatched           policies that do not speak of the image are no error
  --type TYPE                 cosign's type name or a predicateType URI; may be repeated
  --repository REPOSITORY     exact repository that holds the evidence (as COSIGN_REPOSITORY)
  --oci-repo REPOSITORY       the same, at REPOSITORY/container
  --oci-layout DIR            read IMAGE in the OCI image layout in DIR, and dial no registry
  --json                      print the verdicts as JSON
  --quiet                     print nothing but errors

TRUST:
${TRUST_FLAG_HELP}
${REVOCATION_FLAG_HELP}

Exit: 0 pass or warn, 1 fail, 2 could not check, or no policy matched; 64 usage.
`;

const OPTIONS = {
  policy: { type: 'string', multiple: true },
  'allow-unmatched': { type: 'boolean' },
  type: { type: 'string', multiple: true },
  ...TRUST_FLAGS,
  ...REVOCATION_FLAGS,
  repository: { type: 'string' },
  'oci-repo': { type: 'string' },
  'oci-layout': { type: 'string' },
} as const;

type Values = ReturnType<typeof parseFlags<typeof OPTIONS>>['values'];

export async function verifyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const image = parseImageRef(onlyPositional(positionals, 'IMAGE'));
  refuseMixedTrust(values);
  await using stack = new AsyncDisposableStack();
  const { policies, revocation } = await loadJudges(io, values, stack);
  const { verifyImage } = await import('#engine/verify.ts');
  const registries = await localRegistries(io, values['oci-layout']);
  try {
    const ports = { registries, now: io.now, ...(revocation ? { revocation } : {}) };
    const report = await verifyImage({ image, policies, signal: io.signal }, ports);
    const verdicts = noneMatched(report.verdicts, values['allow-unmatched'] === true);
    if (values.json) {
      const document = { image: formatImageRef(report.image), digest: report.digest ?? null, verdicts };
      io.stdout(`${JSON.stringify(document, null, 2)}\n`);
    } else if (!values.quiet) {
      io.stdout(verdicts.map((verdict) => verdictText(verdict)).join(''));
    }
    return exitCode(verdicts, values['allow-unmatched'] === true);
  } finally {
    await registries.close();
  }
}

function refuseMixedTrust(values: Values): void {
  if (values.policy) {
    const { 'trusted-root': _, ...others } = values;
    const stray =
      givenTrustFlag(others) ??
      givenRevocationFlag(values) ??
      (['type', 'repository', 'oci-repo'] as const).find((name) => values[name] !== undefined);
    if (stray) throw new AppError('usage', `--${stray} does not go with --policy`, { mend: 'the policy says it' });
    return;
  }
  if (!values.type) throw new AppError('usage', 'neither --policy nor --type is given', { mend: 'see --help' });
  checkTrustFlags(values);
}

async function loadPolicies(
  io: CommandIo,
  files: readonly string[],
  trustedRoot: string | undefined,
): Promise<readonly CompiledPolicy[]> {
  const { compilePolicies } = await import('#policy/load.ts');
  const root = trustedRoot === undefined ? {} : await givenRoot(io, trustedRoot);
  const texts = await Promise.all(files.map((file) => readText(io, '--policy', file)));
  return texts.flatMap((text, at) => compilePolicies(text, { source: files[at] as string, ...root }));
}

async function givenRoot(io: CommandIo, file: string) {
  const { policyRoot } = await import('#compose/policy-root.ts');
  return await policyRoot(file, async (path) => Buffer.from(await readText(io, '--trusted-root', path)));
}

interface Judges {
  readonly policies: readonly CompiledPolicy[];
  readonly revocation?: RevocationFetcher;
}

async function loadJudges(io: CommandIo, values: Values, stack: AsyncDisposableStack): Promise<Judges> {
  if (values.policy) return { policies: await loadPolicies(io, values.policy, values['trusted-root']) };
  const { trustPolicy } = await import('#policy/trust-policy.ts');
  const repository = evidenceRepository(values);
  const { attestor, ...more } = await askingRevocation(await readAttestor(io, values), values, io, stack);
  const policy = trustPolicy({
    id: 'command-line',
    predicateTypes: (values.type ?? []).map(predicateTypeOf),
    attestor,
    ...(repository === undefined ? {} : { repository }),
  });
  return { policies: [policy], ...more };
}

/** Policies that all skip the image prove nothing about it: said in so many words. */
function noneMatched(verdicts: readonly Verdict[], allowed: boolean): readonly Verdict[] {
  if (allowed || worstOutcome(verdicts.map((verdict) => verdict.outcome)) !== 'skip') return verdicts;
  return verdicts.map((verdict) => ({
    ...verdict,
    reasons: [
      ...verdict.reasons,
      {
        code: 'no-policy-matched' as const,
        message: 'no policy speaks of this image, so nothing was verified',
        next: 'widen imageReferences, or accept it with --allow-unmatched',
      },
    ],
  }));
}

function exitCode(verdicts: readonly Verdict[], allowUnmatched: boolean): number {
  switch (worstOutcome(verdicts.map((verdict) => verdict.outcome))) {
    case 'error':
      return EXIT.error;
    case 'fail':
      return EXIT.fail;
    case 'warn':
    case 'pass':
      return EXIT.ok;
    case 'skip':
      return allowUnmatched ? EXIT.ok : EXIT.error;
  }
}
