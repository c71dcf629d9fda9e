import type { CommandIo } from '#cli/command.ts';
import { readEnvironmentProxy } from '#compose/environment.ts';
import { createHttpClient } from '#http/undici-client.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import type { Outcome } from '#producer/intake/answer.ts';
import { readJson } from '#producer/webhooks/json.ts';

export interface TriedAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly results: readonly Outcome[];
}

interface SampleRequest {
  readonly url: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers of the intake to one sample are a few lines. */
const MAX_ANSWER_BYTES = 1024 * 1024;

/** Posts a sample, and reads what the intake says to it. @throws AppError `network`, `timeout`, `too-large`. */
export async function postSample(
  { url: text, query, headers, body }: SampleRequest,
  io: CommandIo,
): Promise<TriedAnswer> {
  const url = new URL(text);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const client = createHttpClient({
    allowedHosts: [url.host],
    userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
    ...readEnvironmentProxy(io.env),
  });
  try {
    const response = await client.request({ method: 'POST', url, headers, body, signal: io.signal });
    const json = readJson(await response.bytes(MAX_ANSWER_BYTES));
    // What stands before the intake may answer in its place, and not in JSON.
    const answered = json.ok && typeof json.value === 'object' && json.value !== null ? { ...json.value } : {};
    const results = 'results' in answered && Array.isArray(answered.results) ? answered.results : [];
    return { status: response.status, body: answered, results: results as readonly Outcome[] };
  } finally {
    await client.close();
  }
}
