import { type CommandIo, EXIT } from '#cli/command.ts';
import { onlyPositional, parseFlags, showHelp } from '#cli/flags.ts';
import { localRegistries } from '#cli/local-engine.ts';
import { configFile, loadParts } from '#cli/run-processes.ts';
import { AppError } from '#model/errors.ts';
import { formatRepositoryRef, parseRepositoryRef } from '#model/image-ref.ts';
import type { Capabilities } from '#oci/capabilities.ts';
import type { LearntCapability } from '#oci/capability-memo.ts';
import type { Registries } from '#oci/target.ts';

const USAGE = `
Usage: attestry registry probe REPOSITORY [--config FILE | --oci-layout DIR] [--json]
       attestry registry remembered [--config FILE] [--json]

probe       asks a registry what evidence can live in REPOSITORY. Nothing is written: what only a write
            can tell (immutable tags, room, deletion) is unknown unless it is configured.
remembered  prints what the workers of an installation have learnt of their registries.

  --config FILE      probe: a registry and its credentials by the configuration; default for
                     remembered: $ATTESTRY_CONFIG, else attestry.yaml
  --oci-layout DIR   probe: the OCI image layout in DIR
  --json             print JSON

Exit: 0 done, 2 could not, 64 usage.
`;

const OPTIONS = { config: { type: 'string' }, 'oci-layout': { type: 'string' } } as const;

export async function registryCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const [action, ...rest] = positionals;
  if (action === 'probe') return probe(onlyPositional(rest, 'REPOSITORY'), values, io);
  if (action === 'remembered' && rest.length === 0) return remembered(values, io);
  throw new AppError('usage', 'say probe REPOSITORY, or remembered', { mend: 'see --help' });
}

interface Flags {
  readonly config?: string | undefined;
  readonly 'oci-layout'?: string | undefined;
  readonly json?: boolean | undefined;
}

async function probe(text: string, flags: Flags, io: CommandIo): Promise<number> {
  const { registry, repository } = parseRepositoryRef(text);
  const registries = await openRegistries(flags, io);
  try {
    const name = registries.nameOf(registry);
    const found = await registries.target(name).capabilities(repository, io.signal);
    const where = formatRepositoryRef({ registry: name, repository });
    if (flags.json) io.stdout(`${JSON.stringify({ repository: where, ...found }, null, 2)}\n`);
    else io.stdout([where, ...wordings(found).map((line) => `  ${line}`), ''].join('\n'));
    return EXIT.ok;
  } finally {
    await registries.close();
  }
}

async function openRegistries(flags: Flags, io: CommandIo): Promise<Registries> {
  if (flags.config === undefined) return localRegistries(io, flags['oci-layout']);
  const { configuredRegistries } = await import('#compose/process-parts.ts');
  return configuredRegistries(await loadParts(flags.config, 'registry', 'none', io));
}

/** What it means for evidence, in words. */
function wordings({ referrers, immutableTags, quotaExceeded, deletes, pathLevels }: Capabilities): readonly string[] {
  const known = (value: boolean | undefined, yes: string, no: string, unknown: string) =>
    value === undefined ? unknown : value ? yes : no;
  return [
    referrers === 'api'
      ? 'bundles: the registry lists referrers itself'
      : 'bundles: listed at the fallback tag sha256-<hex>, since the registry lists no referrers',
    known(
      immutableTags,
      "tags: cannot be written again: no evidence at cosign's tags or at a fallback tag",
      'tags: can be written again',
      'tags: whether they can be written again is not known before a write',
    ),
    known(
      deletes,
      'deletion: superseded bundles are deleted',
      'deletion: superseded bundles stay',
      'deletion: not known before one is tried',
    ),
    known(quotaExceeded, 'room: none was left at the last write', 'room: there was some', 'room: not known'),
    pathLevels === undefined ? 'path: no limit is known' : `path: ${pathLevels} levels at most`,
  ];
}

async function remembered(flags: Flags, io: CommandIo): Promise<number> {
  const [{ createCapabilityMemo }, { createLearntFacts }] = await Promise.all([
    import('#oci/capability-memo.ts'),
    import('#redis/learnt-facts.ts'),
  ]);
  const parts = await loadParts(configFile(flags.config, io), 'registry', 'none', io);
  await using connection = await parts.connect('store');
  const memo = createCapabilityMemo({ now: io.now });
  memo.restore(await createLearntFacts(connection.client, { prefix: parts.config.redis.prefix }).list());
  const facts = memo.export();
  if (flags.json) io.stdout(`${JSON.stringify(facts, null, 2)}\n`);
  else io.stdout(facts.length === 0 ? 'nothing is remembered\n' : facts.map(factLine).join(''));
  return EXIT.ok;
}

function factLine({ registry, repository, what, holds, at }: LearntCapability): string {
  return `${holds ? 'yes' : 'no'}\t${what}\t${repository === undefined ? registry : `${registry}/${repository}`}\t${at}\n`;
}
