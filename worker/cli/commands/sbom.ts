import { writeFile } from 'node:fs/promises';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { onlyPositional, parseFlags, showHelp } from '#cli/flags.ts';
import { localRegistries } from '#cli/local-engine.ts';
import { createProgress } from '#cli/progress.ts';
import { AppError } from '#model/errors.ts';
import { parseImageRef } from '#model/image-ref.ts';
import { DEFAULT_PREDICATE_TYPES } from '#model/rule.ts';
import type { BomInput } from '#sbom/cyclonedx.ts';

const USAGE = `
Usage: attestry sbom IMAGE [--format FORMAT] [-o FILE]

Prints the SBOM of IMAGE: for an index, every platform and its packages.

  --format FORMAT     cyclonedx (1.6, default) or spdx (2.3 in JSON)
  -o, --output FILE   write to FILE instead of standard output
  --oci-layout DIR    read IMAGE from the OCI image layout in DIR, and dial nobody
  --quiet             no progress

Exit: 0 done, 2 could not, 64 usage.
`;

/** Platforms of one index share layers. */
const FACTS_CHARS = 64 * 1024 * 1024;

const OPTIONS = {
  output: { type: 'string', short: 'o' },
  format: { type: 'string' },
  'oci-layout': { type: 'string' },
} as const;

export async function sbomCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const image = parseImageRef(onlyPositional(positionals, 'IMAGE'));
  const format = formatOf(values.format ?? 'cyclonedx');
  const [{ resolveSubject }, { bomInput, createInventoryTaker }, { createMemoryLayerFactsCache }, limits] =
    await Promise.all([
      import('#engine/resolve.ts'),
      import('#engine/make-sbom.ts'),
      import('#sbom/layer-facts-cache.ts'),
      import('#sbom/limits.ts'),
    ]);
  const registries = await localRegistries(io, values['oci-layout']);
  const progress = createProgress(io, values.quiet === true);
  try {
    const source = registries.target(image.registry);
    const subject = await resolveSubject(source, { ...image, registry: registries.nameOf(image.registry) }, io.signal);
    const inventories = createInventoryTaker({
      source,
      repository: image.repository,
      cache: createMemoryLayerFactsCache(FACTS_CHARS),
      limits: limits.DEFAULT_WALK_LIMITS,
      signal: io.signal,
      onProgress: ({ layer, layers, size }) => progress.step({ step: 'layer', layer, layers, size }),
      onTaken: (platform, packages, gaps) => progress.step({ step: 'inventory', platform, packages, gaps }),
    });
    const input = await bomInput(subject, DEFAULT_PREDICATE_TYPES[format], inventories);
    const sbom = await render(input, format);
    progress.end();
    await print(io, `${JSON.stringify(sbom, null, 2)}\n`, values.output);
    return EXIT.ok;
  } finally {
    progress.end();
    await registries.close();
  }
}

type Format = 'cyclonedx' | 'spdxjson';

function formatOf(text: string): Format {
  if (text === 'cyclonedx') return 'cyclonedx';
  if (text === 'spdx' || text === 'spdxjson') return 'spdxjson';
  throw new AppError('usage', `--format ${text} is not known`, { mend: 'write cyclonedx or spdx' });
}

async function render(input: BomInput, format: Format): Promise<object> {
  if (format === 'cyclonedx') return (await import('#sbom/cyclonedx.ts')).renderCycloneDx(input);
  return (await import('#sbom/spdx.ts')).renderSpdx(input);
}

async function print(io: CommandIo, text: string, file: string | undefined): Promise<void> {
  if (file === undefined) return io.stdout(text);
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new AppError('config-invalid', `${file} cannot be written`, { field: '--output', cause: error });
  }
}
