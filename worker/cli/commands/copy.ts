import { type CommandIo, EXIT } from '#cli/command.ts';
import { type CopyJob, copyJob, parseCopyList, parseEvidenceFlag } from '#cli/copy/copy-list.ts';
import type { CopyBudget, CopyParts } from '#cli/copy/copy-parts.ts';
import { imageText, jsonReport, summaryText } from '#cli/copy/copy-report.ts';
import { parseFlags, showHelp } from '#cli/flags.ts';
import { createProgress } from '#cli/progress.ts';
import { readText } from '#cli/read-text.ts';
import type { CopyRequest, ImageOutcome } from '#copy/copy-repository.ts';
import { AppError } from '#model/errors.ts';

const USAGE = `
Usage: attestry copy SOURCE DESTINATION [OPTIONS]
       attestry copy --from-file LIST [--to PREFIX] [OPTIONS]

Copies images with all their evidence: every platform, what the builder attached, cosign's tags (.att, .sig,
.sbom) of each of them, and all that refers to any of these. Manifests keep their bytes. What stands at the
destination is kept: its evidence is joined with what comes. What is there already is not brought again, so a
run that was stopped is continued by running it again. At the end the destination is asked for all of it by
digest.

SOURCE and DESTINATION are registry/repository[:tag][@digest], or oci:FOLDER[:tag][@digest] for an OCI image
layout. SOURCE without tag and digest is the whole repository.

  --from-file LIST           lines of SOURCE, or SOURCE DESTINATION; # begins a comment
  --to PREFIX                registry, registry/path or oci:FOLDER below which sources without a DESTINATION go
  --evidence SRC=DST         repositories that hold evidence of these images elsewhere; may be repeated
  --config FILE              use the registries of this configuration, and the lock of its workers in Redis
  --concurrency N            images, and blobs, under way at once (default: 4)
  --requests-per-second N    of each registry (default: no limit)
  --bytes-per-second N       of each registry, read and written; K, M, G for powers of 1024 (default: no limit)
  --dry-run                  say what would be brought, and write nothing
  --json                     print the result as JSON
  --quiet                    no progress

Exit: 0 all is there, 1 something is not there by digest, 2 could not, 64 usage.
`;

const OPTIONS = {
  'from-file': { type: 'string' },
  to: { type: 'string' },
  evidence: { type: 'string', multiple: true },
  config: { type: 'string' },
  concurrency: { type: 'string' },
  'requests-per-second': { type: 'string' },
  'bytes-per-second': { type: 'string' },
  'dry-run': { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseFlags<typeof OPTIONS>>['values'];

export async function copyCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, OPTIONS);
  if (values.help) return showHelp(io, USAGE);
  const jobs = await readJobs(values, positionals, io);
  const evidence = (values.evidence ?? []).map(parseEvidenceFlag);
  const budget = readBudget(values);
  const [{ openCopyParts }, { copyRepository }] = await Promise.all([
    import('#cli/copy/copy-parts.ts'),
    import('#copy/copy-repository.ts'),
  ]);
  const progress = createProgress(io, values.quiet === true);
  const outcomes: ImageOutcome[] = [];
  await using parts = await openCopyParts(values.config, budget, io, (registry, ms, { message }) =>
    progress.note(`${registry}: waiting ${Math.ceil(ms / 1000)} s (${message})`),
  );
  try {
    for (const job of jobs) {
      await copyRepository(requestOf(job, evidence, parts), parts.ports, {
        dryRun: values['dry-run'] === true,
        concurrency: budget.concurrency,
        signal: io.signal,
        onImage(outcome) {
          outcomes.push(outcome);
          progress.end();
          if (!values.json) io.stdout(imageText(outcome));
          else progress.note(imageText(outcome).split('\n')[0] ?? '');
        },
      });
    }
  } finally {
    progress.end();
  }
  const { moved } = parts.ports.carrier;
  if (values.json) io.stdout(jsonReport(outcomes, moved));
  else if (!values.quiet) io.stderr(summaryText(outcomes, moved));
  return exitCode(outcomes);
}

async function readJobs(values: Values, positionals: readonly string[], io: CommandIo): Promise<readonly CopyJob[]> {
  const file = values['from-file'];
  const [source, destination, third] = positionals;
  if (file !== undefined) {
    if (source === undefined) return parseCopyList(await readText(io, '--from-file', file), file, values.to);
    throw new AppError('usage', `--from-file does not go with "${source}"`, { mend: 'write it into the list' });
  }
  if (values.to !== undefined) throw new AppError('usage', '--to goes with --from-file');
  if (source === undefined || destination === undefined) {
    throw new AppError('usage', `${source === undefined ? 'SOURCE' : 'DESTINATION'} is missing`, {
      mend: 'see --help',
    });
  }
  if (third !== undefined) throw new AppError('usage', `one SOURCE and one DESTINATION only, not also "${third}"`);
  return [copyJob(source, destination)];
}

function requestOf({ from, to }: CopyJob, evidence: readonly CopyJob[], { place }: CopyParts): CopyRequest {
  const reference = from.digest ?? from.tag;
  const tag = to.tag ?? from.tag;
  return {
    pairs: [
      { from: place(from), to: place(to) },
      ...evidence.map((each) => ({ from: place(each.from), to: place(each.to) })),
    ],
    ...(reference === undefined ? {} : { reference }),
    ...(tag === undefined ? {} : { tag }),
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

function readBudget(values: Values): CopyBudget {
  const requestsPerSecond = positive(values, 'requests-per-second', /^(\d{1,6}(?:\.\d{1,3})?)()$/);
  const bytesPerSecond = positive(values, 'bytes-per-second', /^(\d{1,9})([KMG]?)$/);
  return {
    concurrency: positive(values, 'concurrency', /^([1-9]|[1-5]\d|6[0-4])()$/) ?? 4,
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  };
}

const WANTED = {
  concurrency: 'a whole number from 1 to 64',
  'requests-per-second': 'a number above 0, such as 20 or 0.5',
  'bytes-per-second': 'a whole number of bytes above 0, or one with K, M or G such as 10M',
} as const;

function positive(values: Values, name: keyof typeof WANTED, form: RegExp): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const [, amount = '0', unit = ''] = form.exec(text) ?? [];
  const value = Number(amount) * (UNITS[unit] ?? 0);
  if (value > 0) return value;
  throw new AppError('usage', `--${name} ${text} is not ${WANTED[name]}`);
}

function exitCode(outcomes: readonly ImageOutcome[]): number {
  if (outcomes.some(({ result }) => !result.ok)) return EXIT.error;
  return outcomes.some(({ result }) => result.ok && result.image.state === 'incomplete') ? EXIT.fail : EXIT.ok;
}
