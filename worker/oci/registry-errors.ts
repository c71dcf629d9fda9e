import type { HttpResponse } from '#http/client.ts';
import { parseRetryAfter } from '#http/retry-after.ts';
import { AppError, type AppErrorOptions, type ErrorCode } from '#model/errors.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import { type Complaint, isQuotaRefusal, isTagRefusal } from '#oci/refusals.ts';

/** What was asked, for the message of a failure. */
export interface FailureContext {
  /** The registry's configured name. */
  readonly registry: string;
  /** The step in words, e.g. `reading manifest latest of team/app`. */
  readonly what: string;
  /** The tag that was to be written. */
  readonly writesTag?: string;
  readonly maxBytes: number;
  readonly now: Date;
  /** Takes credentials out of a text that the registry wrote. */
  readonly redact: (text: string) => string;
}

const MAX_QUOTED = 300;

/** The failure that a registry's answer is (OCI distribution-spec, error codes); reads the body to its bounded end. */
export async function registryError(response: HttpResponse, context: FailureContext): Promise<AppError> {
  const complaint = await readComplaint(response, context);
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], context.now);
  const code = refusalOf(response.status, complaint, context) ?? classify(response.status, complaint?.code);
  const quoted = complaint ? ` ${complaint.code}${complaint.message && `: "${complaint.message}"`}` : '';
  const mend = MENDS[code];
  const options: AppErrorOptions = {
    ...(mend === undefined ? {} : { mend }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  const text = `${context.registry}: ${context.what}: the registry answered ${response.status}${quoted}`;
  return new AppError(code, text, options);
}

const MENDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  'registry-unauthorized': 'give credentials for this registry, or renew them',
  'not-found':
    'check registry, repository and tag or digest; some registries also answer 404 to who may not read, so check the credentials',
  'registry-forbidden': 'grant the account the right for this repository',
  'tag-immutable':
    'exempt the tags sha256-* from the rule that makes tags immutable, or use the layout `bundle` on a registry with the referrers API',
  'registry-quota': 'make room in this repository or raise its quota, then run the job again',
};

/** A refusal that another status or code would call something else. */
function refusalOf(
  status: number,
  complaint: Complaint | undefined,
  { writesTag }: FailureContext,
): ErrorCode | undefined {
  if (writesTag !== undefined && isTagRefusal(status, complaint)) return 'tag-immutable';
  return isQuotaRefusal(status, complaint) ? 'registry-quota' : undefined;
}

function classify(status: number, complaint: string | undefined): ErrorCode {
  // What was referred to is missing, whatever the status: pushing it first mends it.
  if (complaint === 'MANIFEST_BLOB_UNKNOWN' || complaint === 'BLOB_UNKNOWN') return 'not-found';
  // The session of an upload was lost between two calls.
  if (complaint === 'BLOB_UPLOAD_UNKNOWN' || complaint === 'BLOB_UPLOAD_INVALID') return 'registry-unavailable';
  if (complaint === 'TOOMANYREQUESTS') return 'registry-throttled';
  if (status === 401) return 'registry-unauthorized';
  if (status === 403) return 'registry-forbidden';
  if (status === 404) return 'not-found';
  if (status === 413) return 'too-large';
  if (status === 429) return 'registry-throttled';
  if (status === 408 || status >= 500) return status === 501 ? 'registry-refused' : 'registry-unavailable';
  return status >= 400 ? 'registry-refused' : 'registry-protocol';
}

/** The first entry of the error envelope. The body is anybody's text, so that only its printable start is quoted. */
async function readComplaint(response: HttpResponse, context: FailureContext): Promise<Complaint | undefined> {
  try {
    const { errors } = asObject(parseBoundedJson(await response.bytes(context.maxBytes))) ?? {};
    const first = asObject(Array.isArray(errors) ? errors[0] : undefined);
    if (typeof first?.code !== 'string') return undefined;
    const message = typeof first.message === 'string' ? first.message : '';
    return {
      code: printable(first.code).slice(0, 60),
      message: printable(context.redact(message)).slice(0, MAX_QUOTED),
    };
  } catch {
    // An HTML page, an endless body, a broken connection: the status alone tells.
    return undefined;
  }
}

/** Without control and direction characters, which would forge lines of a log or a terminal. */
export function printable(text: string): string {
  return text
    .slice(0, 4 * MAX_QUOTED)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
}

/** Reads a small body to its end, so that the connection can be used again; gives it up when it is not small. */
export async function discard(response: HttpResponse, maxBytes: number): Promise<void> {
  await response.bytes(maxBytes).catch(() => {});
}
