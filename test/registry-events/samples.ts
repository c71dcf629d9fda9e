import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';

const Text = z.record(z.string(), z.string());

/** What a sample expects. Strict: an expectation that the runner does not know would otherwise pass unchecked. */
const Expected = z.strictObject({
  sender: z.string(),
  assume: z.unknown(),
  response: z.enum(['2xx', '200', '401|403', '400|422', '415', 'delete-message']),
  responseHeaders: z.optional(Text),
  responseBody: z.optional(z.record(z.string(), z.unknown())),
  responseBodyMustNotContain: z.optional(z.array(z.string())),
  outbound: z.optional(z.array(z.string())),
  enqueue: z.array(
    z.strictObject({
      from: z.string(),
      registry: z.string(),
      repository: z.string(),
      tag: z.nullable(z.string()),
      digest: z.nullable(z.string()),
      ref: z.string(),
    }),
  ),
  skipped: z.array(z.strictObject({ from: z.string(), reason: z.string() })),
  why: z.optional(z.string()),
});
export type Expected = z.infer<typeof Expected>;

export interface Sample {
  readonly name: string;
  /** Undefined: a message of a queue has no request, and a request for consent no body. */
  readonly files: {
    readonly headers: string | undefined;
    readonly body: string | undefined;
    readonly expected: string;
  };
  readonly body: Buffer;
  readonly expected: Expected;
}

const SUFFIX = '.expected.json';

/** The names of the samples of a folder. @throws when it holds none: nothing checked is not passed. */
export async function sampleNames(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((file) => file.endsWith(SUFFIX)).sort();
  if (names.length === 0) throw new Error(`no samples (*${SUFFIX}) in ${folder}`);
  return names.map((file) => file.slice(0, -SUFFIX.length));
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}

/** @throws when a file of the sample is missing or its expectation is not understood. */
export async function readSample(folder: string, name: string): Promise<Sample> {
  const files = {
    headers: existing(join(folder, `${name}.headers.json`)),
    body: existing(join(folder, `${name}.json`)),
    expected: join(folder, `${name}${SUFFIX}`),
  };
  const expected = Expected.safeParse(JSON.parse(await readFile(files.expected, 'utf8')));
  if (!expected.success) throw new Error(`${name}: ${z.prettifyError(expected.error)}`);
  if (files.headers === undefined && files.body === undefined) throw new Error(`${name}: neither headers nor body`);
  const body = files.body === undefined ? Buffer.alloc(0) : await readFile(files.body);
  return { name, files, body, expected: expected.data };
}
