import type { Certificate } from '#crypto/certificate.ts';
import { checkOcsp } from '#crypto/check-ocsp.ts';
import type { RevocationCheck } from '#crypto/check-revocation.ts';
import { OCSP_NONCE_BYTES, ocspRequest } from '#crypto/ocsp-request.ts';
import { type OcspAnswer, parseOcspResponse } from '#crypto/ocsp-response.ts';
import { toAppError } from '#model/errors.ts';
import { hostRefusal } from '#trust/host-refusal.ts';
import type { OcspClient } from '#trust/ocsp-client.ts';

export interface OcspQuestion {
  /** Address. */
  readonly responder: string;
  /** The certificate above the one in question, in a path that was verified. */
  readonly issuer: Certificate;
  /** Of the certificate in question: content bytes in lower-case hex. */
  readonly serialNumber: string;
}

/** Answers by their question, each asked for once until there may be another. */
export interface OcspAnswers {
  /** What is held says; undefined when it must be asked for first, which is remembered for `fetchWanted`. */
  held(question: OcspQuestion, now: Date): RevocationCheck | undefined;
  /** Tells that a certificate was looked up: see `OcspAnswersOptions.onAsked`. */
  asked(question: OcspQuestion): void;
  /** Asks what was wanted and is not held; answers whether there was anything to wait for. */
  fetchWanted(signal?: AbortSignal): Promise<boolean>;
  /** Asks anew, whatever is held. */
  refresh(question: OcspQuestion, signal?: AbortSignal): Promise<RevocationCheck>;
  /** What was answered before then is asked again when it is next wanted. */
  renew(answeredBefore: Date): void;
}

export interface OcspAnswersOptions {
  readonly now: () => Date;
  /** A fresh one for each question, of so many bytes; absent: none is sent. */
  readonly makeNonce?: ((bytes: number) => Uint8Array) | undefined;
  /** Once for each certificate that is looked up: whoever watches knows which ones matter. */
  readonly onAsked?: ((question: OcspQuestion) => void) | undefined;
}

interface Kept {
  readonly answer?: { readonly content: OcspAnswer; readonly nonce?: Uint8Array };
  /** Why there is no newer one. */
  readonly problem?: string;
  readonly readAt: number;
}

/** A responder that failed, or has no more to say than now, is not asked again sooner. Milliseconds. */
const BRIEFLY_MS = 60_000;
/** A certificate may be revoked before the next update. Milliseconds. */
const OLDEST_MS = 60 * 60_000;
const MAX_KEPT = 2048;
/** Questions of one fetch; the rest is asked by the next. */
const MAX_WANTED = 256;
const MAX_ASKED = 10_000;

export function createOcspAnswers(client: OcspClient, options: OcspAnswersOptions): OcspAnswers {
  const { now, makeNonce, onAsked } = options;
  const kept = new Map<string, Kept>();
  const wanted = new Map<string, OcspQuestion>();
  const underWay = new Map<string, Promise<RevocationCheck>>();
  const asked = new Set<string>();
  let renewedAt = 0;

  async function ask(question: OcspQuestion, signal: AbortSignal | undefined): Promise<RevocationCheck> {
    const key = keyOf(question);
    const found = { ...(await answerOf(question, kept.get(key), signal)), readAt: now().getTime() };
    kept.delete(key);
    kept.set(key, found);
    const [oldest] = kept.keys();
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    return said(question, found, now());
  }

  async function answerOf(
    question: OcspQuestion,
    before: Kept | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Omit<Kept, 'readAt'>> {
    const { responder, issuer, serialNumber } = question;
    const nonce = makeNonce?.(OCSP_NONCE_BYTES);
    try {
      const request = ocspRequest(issuer, serialNumber, nonce);
      const content = parseOcspResponse(await client.ask(responder, request, nonce ? 'post' : 'get', signal));
      return { answer: { content, ...(nonce ? { nonce } : {}) } };
    } catch (error) {
      signal?.throwIfAborted();
      const { message, mend } = hostRefusal(responder, toAppError(error));
      const problem = mend === undefined ? message : `${message} (${mend})`;
      return { ...(before?.answer ? { answer: before.answer } : {}), problem };
    }
  }

  function refresh(question: OcspQuestion, signal?: AbortSignal): Promise<RevocationCheck> {
    const key = keyOf(question);
    const known = underWay.get(key);
    if (known) return known;
    const flight = ask(question, signal).finally(() => underWay.delete(key));
    underWay.set(key, flight);
    return flight;
  }

  return {
    held(question, at) {
      const key = keyOf(question);
      const known = kept.get(key);
      if (known && known.readAt >= renewedAt && isCurrent(question, known, at)) return said(question, known, at);
      if (wanted.size < MAX_WANTED) wanted.set(key, question);
      return undefined;
    },
    asked(question) {
      const key = keyOf(question);
      if (asked.has(key)) return;
      if (asked.size >= MAX_ASKED) asked.clear();
      asked.add(key);
      onAsked?.(question);
    },
    async fetchWanted(signal) {
      const questions = [...wanted.values()];
      wanted.clear();
      const flights = [...questions.map((question) => refresh(question, signal)), ...underWay.values()];
      await Promise.allSettled(flights);
      signal?.throwIfAborted();
      return flights.length > 0;
    },
    refresh,
    renew(answeredBefore) {
      renewedAt = Math.max(renewedAt, answeredBefore.getTime());
    },
  };
}

function keyOf({ responder, issuer, serialNumber }: OcspQuestion): string {
  return `${responder} ${issuer.fingerprint} ${serialNumber}`;
}

/** An older answer counts while it holds, when the responder cannot be reached. */
function said(question: OcspQuestion, { answer, problem }: Kept, at: Date): RevocationCheck {
  const check = answer && checkOcsp(question, answer.content, at, answer.nonce);
  if (check && (problem === undefined || check.kind !== 'unknown')) return check;
  return { kind: 'unknown', problem: problem ?? 'there is no answer' };
}

function isCurrent(question: OcspQuestion, held: Kept, at: Date): boolean {
  const age = at.getTime() - held.readAt;
  const isAnswered = held.problem === undefined && said(question, held, at).kind !== 'unknown';
  const lasts = held.answer?.content.responses.every(({ nextUpdate }) => nextUpdate && nextUpdate > at);
  return age < (isAnswered && lasts ? OLDEST_MS : BRIEFLY_MS);
}
