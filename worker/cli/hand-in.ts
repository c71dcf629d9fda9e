import type { CommandIo } from '#cli/command.ts';
import { customPredicate, type GivenFile } from '#cli/given-evidence.ts';
import { readEnvironmentProxy } from '#compose/environment.ts';
import { AppError } from '#model/errors.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { COSIGN_CUSTOM } from '#model/media-types.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';

export interface HandInFlags {
  /** Address of the producer. */
  readonly server: string;
  readonly signer?: string | undefined;
}

/** What the installation answers when it took the statement. */
export interface HandedInAnswer {
  readonly image: string;
  readonly predicateType: string;
  /** Digest of the statement. */
  readonly statement: string;
  readonly job: { readonly id: string; readonly state: string };
}

const TOKEN = 'ATTESTRY_TOKEN';
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Hands a file in to an installation, whose signers sign it when its rules allow that. Succeeds when the installation has
 * it safe; that it is attached, its events and metrics tell.
 * @throws AppError `usage`, `statement-refused` when it is refused, `network` and `timeout` when there is no answer.
 */
export async function handIn(
  io: CommandIo,
  image: ImageRef,
  given: GivenFile,
  flags: HandInFlags,
): Promise<HandedInAnswer> {
  const url = serverUrl(flags.server);
  const token = io.env[TOKEN];
  if (!token) {
    throw new AppError('usage', `--server needs a token in ${TOKEN}`, {
      mend: 'set it to a token of producer.api.tokens',
    });
  }
  const { createHttpClient } = await import('#http/undici-client.ts');
  const client = createHttpClient({
    allowedHosts: [url.host],
    userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
    ...readEnvironmentProxy(io.env),
  });
  try {
    const response = await client.request({
      method: 'POST',
      url: new URL('v1/attestations', url),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: requestBody(image, given, flags, io.now()),
      signal: io.signal,
      headersTimeoutMs: TIMEOUT_MS,
      bodyTimeoutMs: TIMEOUT_MS,
    });
    const text = Buffer.from(await response.bytes(MAX_ANSWER_BYTES)).toString('utf8');
    if (response.status === 202) return JSON.parse(text) as HandedInAnswer;
    throw refusedBy(url, response.status, text);
  } finally {
    await client.close();
  }
}

function serverUrl(text: string): URL {
  const mend = 'write the address of the producer, e.g. https://attestry.example.com';
  if (!URL.canParse(text)) throw new AppError('usage', '--server is not a URL', { mend });
  const url = new URL(text.endsWith('/') ? text : `${text}/`);
  if (!/^https?:$/.test(url.protocol)) throw new AppError('usage', '--server is not a URL of http or https', { mend });
  // Whoever is on the way could take the token, and sign with it.
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'http:' && !local)
    throw new AppError('usage', '--server speaks http, which shows the token', { mend });
  return url;
}

/** The predicate goes as it is: the installation reads it, not the parser of whoever sends it. */
function requestBody(
  image: ImageRef,
  { requested, whole, bytes }: GivenFile,
  { signer }: HandInFlags,
  now: Date,
): string {
  const members: string[] = [`"image":${JSON.stringify(formatImageRef(image))}`];
  if (requested) members.push(`"type":${JSON.stringify(requested.predicateType)}`);
  if (signer !== undefined) members.push(`"signer":${JSON.stringify(signer)}`);
  if (whole) members.push(`"statement":"${Buffer.from(bytes).toString('base64')}"`);
  else if (requested?.predicateType === COSIGN_CUSTOM) {
    members.push(`"predicate":${JSON.stringify(customPredicate(bytes, now))}`);
  } else members.push(`"predicate":${predicateText(bytes)}`);
  return `{${members.join(',')}}`;
}

/** Only JSON by itself: a text that closes the object early would put members beside it. */
function predicateText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8');
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw new AppError('statement-refused', 'the predicate is not JSON', {
      field: '--predicate',
      mend: 'name a file of JSON in UTF-8, or use --type custom for other text',
    });
  }
}

function refusedBy(url: URL, status: number, text: string): AppError {
  const said = messageOf(text);
  if (status === 401) {
    const mend = `set ${TOKEN} to a token of producer.api.tokens`;
    return new AppError('statement-refused', `${url.host} does not know the token`, { field: TOKEN, mend });
  }
  if (status === 404) {
    const mend = 'check the address; the route is there when producer.api.tokens is configured';
    return new AppError('statement-refused', `${url.host} takes nothing in at this address`, {
      field: '--server',
      mend,
    });
  }
  const message = `${url.host} answered ${status}${said === '' ? '' : `: ${said}`}`;
  if (status === 429 || status >= 500) return new AppError('network', message, { mend: 'send it again later' });
  return new AppError('statement-refused', message);
}

function messageOf(text: string): string {
  try {
    const { reason, message } = JSON.parse(text) as { reason?: unknown; message?: unknown };
    return [reason, message]
      .filter((part) => typeof part === 'string')
      .join(': ')
      .slice(0, 1000);
  } catch {
    return '';
  }
}
