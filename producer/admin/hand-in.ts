import * as z from 'zod/mini';
import { type Digest, sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { predicateTypeNamed } from '#model/evidence-type.ts';
import { entryFor, type HandedIn, type HandedInStore, MAX_HANDED_IN_BYTES } from '#model/handed-in.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import { type ImageJob, JOB_VERSION } from '#model/job.ts';
import { chooseRule, type Rule, whenUnmet } from '#model/rule.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';
import { readImage } from '#producer/admin/image-name.ts';
import { withoutTag } from '#producer/admin/images.ts';
import { isRefusal, type Refusal, refusal } from '#producer/admin/refusal.ts';

/** A statement that was read and judged, ready to be signed. */
export interface ReadStatement {
  readonly payload: Uint8Array;
  readonly predicateType: string;
}

export type About = ImageRef & { readonly digest: Digest };

/** What somebody hands in: a predicate of a type, or a whole statement. */
export type Given =
  | { readonly predicateType: string; readonly predicate: unknown }
  | { readonly predicateType?: string; readonly statement: Uint8Array };

/** A request that the rules do not allow, for the count and the event. */
export interface HandInRefused extends SigningRefusal {
  /** `registry/repository@digest`; the registry may be one that is not configured, and then the digest may be absent. */
  readonly image: string;
  readonly rule: string;
  /** What a job of it would have been. */
  readonly job: ImageJob;
}

/** What handing in works on; whoever composes the process fills it. */
export interface HandInParts {
  readonly rules: readonly Rule[];
  readonly registryOf: (host: string) => string | undefined;
  readonly store: HandedInStore;
  readonly queue: {
    enqueueImage(lane: 'push', job: ImageJob): Promise<{ readonly id: string; readonly state: 'queued' | 'duplicate' }>;
  };
  /** @throws AppError while Redis is nearly full. */
  readonly requireRoom: () => Promise<void>;
  /** @throws AppError `handed-in-full` when the caller has handed in too much lately. */
  readonly spend: (caller: string, bytes: number) => Promise<void>;
  /** JSON that all parsers read alike: no member twice, bounded. */
  readonly readJson: (
    bytes: Uint8Array,
  ) => { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };
  /** @throws AppError `statement-refused` naming the member. */
  readonly readStatement: (about: About, given: Given) => ReadStatement;
  readonly refused: (refused: HandInRefused) => void;
  readonly now: () => Date;
}

export interface HandInRequest {
  readonly body: Uint8Array | 'too-large';
  /** Name of the token's bearer. */
  readonly actor: string | undefined;
  readonly traceparent: string;
}

/** Bytes of a request: a statement in base64, and what stands around it. */
export const MAX_HAND_IN_BODY_BYTES = 8 * 1024 * 1024;

const SOURCE = 'api';

const Body = z.strictObject({
  image: z.string(),
  type: z.optional(z.string()),
  predicate: z.optional(z.unknown()),
  statement: z.optional(z.string()),
  signer: z.optional(z.string()),
});
type Body = z.infer<typeof Body>;

const FORM =
  'send an object with `image` (registry/repository@sha256:…), and either `type` and `predicate`, or `statement` (base64 of an in-toto statement); `signer` may be added';

/**
 * Takes a statement to be signed. What the rules cannot allow is refused here, so that whoever sends it hears of it; the
 * job asks them again. The answer of success means that statement and job are in Redis.
 * @throws AppError `redis-unavailable` and `handed-in-full`: then nothing was promised.
 */
export async function handIn(parts: HandInParts, request: HandInRequest): Promise<object> {
  if (request.body === 'too-large') return tooLarge();
  const json = parts.readJson(request.body);
  if (!json.ok) return refusal(400, 'malformed', `the body cannot be read: ${json.problem}`);
  const body = Body.safeParse(json.value);
  if (!body.success) {
    const field = body.error.issues[0]?.path.join('.') ?? '';
    return refusal(422, 'malformed', `${field === '' ? '' : `\`${field}\`: `}${FORM}`);
  }
  const image = readAbout(body.data.image, parts);
  if (isRefusal(image)) {
    if (image.reason === 'host-not-allowed') tellStranger(parts, body.data.image, image, request);
    return image;
  }
  const given = readGiven(body.data);
  if ('refused' in given) return given;
  const job = jobOf(image, request, parts.now());
  const judged = judge(parts, image, given, body.data, request);
  if ('payload' in judged) return keep(parts, image, judged, body.data.signer, job);
  parts.refused({ ...judged, image: withoutTag(image), job });
  return refusal(judged.reason === 'statement' ? 422 : 403, judged.reason, judged.why);
}

/** No rule can speak of an image of a registry that is not served: who asks for it is outside the rules as well. */
function tellStranger(parts: HandInParts, text: string, { message }: Refusal, request: HandInRequest): void {
  const image = readImage(text, (host) => host);
  if (isRefusal(image)) return;
  const job = jobOf(image, request, parts.now());
  parts.refused({ reason: 'rule', why: message, rule: '(none)', image: withoutTag(image), job });
}

function judge(
  parts: HandInParts,
  image: About,
  given: Given,
  body: Body,
  request: HandInRequest,
): ReadStatement | WhyNot {
  const statement = readStatement(parts, image, given);
  return 'payload' in statement ? (whyNot(parts, image, statement, body, request) ?? statement) : statement;
}

async function keep(
  parts: HandInParts,
  image: About,
  { payload, predicateType }: ReadStatement,
  signer: string | undefined,
  job: ImageJob,
): Promise<object> {
  const { source, actor, traceparent, receivedAt } = job;
  const handedIn: HandedIn = {
    v: 1,
    image,
    predicateType,
    statement: Buffer.from(payload).toString('base64'),
    ...(signer === undefined ? {} : { signer }),
    source,
    ...(actor === undefined ? {} : { actor }),
    traceparent,
    receivedAt,
  };
  await parts.requireRoom();
  await parts.spend(actor ?? '(none)', handedIn.statement.length);
  // First the statement, then the job: one that starts at once must find it.
  const id = await parts.store.put(withoutTag(image), handedIn);
  const queued = await parts.queue.enqueueImage('push', job);
  return { image: formatImageRef(image), predicateType, statement: sha256(payload), id, job: queued };
}

function readAbout(text: string, { registryOf }: HandInParts): About | Refusal {
  const image = readImage(text, registryOf);
  if (isRefusal(image)) return image;
  const { digest } = image;
  if (digest?.startsWith('sha256:')) return { ...image, digest };
  const mend = 'write registry/repository@sha256:…, with :tag before the @ where rules go by tags';
  return refusal(
    422,
    'missing-field',
    `\`image\` names no sha256 digest, and a tag may move until it is signed; ${mend}`,
  );
}

function readGiven({ type, predicate, statement }: Body): Given | Refusal {
  const predicateType = type === undefined ? undefined : predicateTypeNamed(type);
  if (type !== undefined && predicateType === undefined) {
    return refusal(422, 'malformed', '`type` is neither a known name nor a URI; see the guide of evidence');
  }
  if (statement !== undefined && predicate === undefined) {
    const bytes = Buffer.from(statement, 'base64');
    // Node passes over what is not base64, and would sign what nobody sent.
    if (bytes.toString('base64') !== statement) return refusal(422, 'malformed', '`statement` is not standard base64');
    return { statement: bytes, ...(predicateType === undefined ? {} : { predicateType }) };
  }
  if (statement === undefined && predicate !== undefined && predicateType !== undefined)
    return { predicateType, predicate };
  return refusal(422, 'malformed', FORM);
}

type WhyNot = SigningRefusal & { readonly rule: string };

function readStatement(parts: HandInParts, image: About, given: Given): ReadStatement | WhyNot {
  try {
    const statement = parts.readStatement(image, given);
    if (statement.payload.byteLength <= MAX_HANDED_IN_BYTES) return statement;
    const mend = 'attach it with attestry attest --predicate and a key of your own';
    return malformed(`the statement has more than ${MAX_HANDED_IN_BYTES} bytes`, mend);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'statement-refused') throw error;
    return malformed(error.message, error.mend);
  }
}

function malformed(message: string, mend: string | undefined): WhyNot {
  return { reason: 'statement', why: mend === undefined ? message : `${message}; ${mend}`, rule: '(none)' };
}

/** The tag is taken as it is told: what is refused even so is refused for good. */
function whyNot(
  { rules }: HandInParts,
  image: About,
  { predicateType }: ReadStatement,
  { signer }: Body,
  { actor }: HandInRequest,
): WhyNot | undefined {
  const { rule, missed } = chooseRule(rules, image);
  if (!rule) return { reason: 'rule', why: missed[0]?.why ?? 'no rule is configured', rule: '(none)' };
  const entry = entryFor(rule, predicateType, signer);
  if ('refused' in entry) return { ...entry.refused, rule: rule.name };
  const { tag } = image;
  const gate = { source: SOURCE, ...(actor === undefined ? {} : { actor }), ...(tag === undefined ? {} : { tag }) };
  const unmet = whenUnmet(rule.when, gate);
  return unmet && { ...unmet, rule: rule.name };
}

function jobOf(image: ImageRef, { actor, traceparent }: HandInRequest, now: Date): ImageJob {
  return {
    v: JOB_VERSION,
    kind: 'sign',
    image,
    source: SOURCE,
    ...(actor === undefined ? {} : { actor }),
    cause: 'api',
    traceparent,
    receivedAt: now.toISOString(),
  };
}

function tooLarge(): Refusal {
  return refusal(413, 'too-large', `the body is over ${MAX_HAND_IN_BODY_BYTES} bytes`);
}
