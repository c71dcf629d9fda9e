import { type Endpoint, parseEndpoint, parseRepository } from '#cli/copy/endpoint.ts';
import { AppError } from '#model/errors.ts';

/** One line of work. */
export interface CopyJob {
  readonly from: Endpoint;
  readonly to: Endpoint;
}

const MAX_LINES = 100_000;

/**
 * Reads a list: each line a source, and a destination unless `--to` says where all go. Blank lines and what follows a
 * `#` at the start of a word are left out.
 * @throws AppError `usage` naming the line.
 */
export function parseCopyList(text: string, file: string, to: string | undefined): readonly CopyJob[] {
  const lines = text.split('\n');
  if (lines.length > MAX_LINES) throw new AppError('too-large', `${file} has more than ${MAX_LINES} lines`);
  const jobs = lines.flatMap((line, at) => {
    const [source, destination, ...more] = line
      .replace(/(^|\s)#.*$/, '')
      .split(/\s+/)
      .filter(Boolean);
    if (source === undefined) return [];
    try {
      if (more.length > 0) throw new AppError('usage', 'a source and at most one destination make a line');
      return [copyJob(source, destination ?? below(to, source))];
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { mend } = error;
      throw new AppError('usage', `${file}, line ${at + 1}: ${error.message}`, {
        ...(mend === undefined ? {} : { mend }),
        cause: error,
      });
    }
  });
  if (jobs.length === 0) throw new AppError('usage', `${file} names nothing to copy`);
  return jobs;
}

/**
 * Source and destination as they were written.
 * @throws AppError `usage`, `reference-invalid`.
 */
export function copyJob(source: string, destination: string): CopyJob {
  const from = parseEndpoint(source);
  const to = parseEndpoint(destination);
  if (to.digest !== undefined) {
    throw new AppError('usage', `the destination ${destination} has a digest`, {
      mend: 'name a tag, or the repository alone: content keeps its digest',
    });
  }
  if (to.tag !== undefined && from.tag === undefined && from.digest === undefined) {
    throw new AppError('usage', `${source} is a whole repository, and ${destination} one tag`, {
      mend: 'name a tag of the source too, or take it off the destination',
    });
  }
  return { from, to };
}

/** Where `--to` puts a source: the same repository path below it. */
function below(to: string | undefined, source: string): string {
  if (to === undefined) {
    throw new AppError('usage', `${source} has no destination`, { mend: 'write one after it, or say --to for all' });
  }
  const from = parseEndpoint(source);
  if (from.kind === 'layout') {
    throw new AppError('usage', `--to does not tell the repository of ${source}`, {
      mend: 'write the destination after the folder',
    });
  }
  const tag = from.tag === undefined ? '' : `:${from.tag}`;
  return `${to.replace(/\/+$/, '')}/${from.repository}${tag}`;
}

/** `--evidence SOURCE=DESTINATION`: repositories that hold evidence of images elsewhere. */
export function parseEvidenceFlag(text: string): CopyJob {
  const [source = '', destination, ...more] = text.split('=');
  if (destination === undefined || more.length > 0 || source === '' || destination === '') {
    throw new AppError('usage', `--evidence ${text} is not two repositories`, { mend: 'write SOURCE=DESTINATION' });
  }
  return { from: parseRepository(source, '--evidence'), to: parseRepository(destination, '--evidence') };
}
