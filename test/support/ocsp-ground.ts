import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createOutbound } from '#compose/outbound.ts';
import { type AskedSettings, type OpenedRevocation, openRevocation } from '#compose/revocation.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceDefect, RawEvidence } from '#model/evidence.ts';
import type { CertificateAttestor } from '#verification/attestor.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type HttpServer, type ServedAnswer, serveHttp } from './http-server.ts';
import { type OcspSingleSpec, type OcspSpec, ocspResponse, requestedNonce, respondersAt } from './ocsp.ts';
import { makePki, type Pki } from './pki.ts';
import { SUBJECT, signedEvidence } from './signed-evidence.ts';

export const NOW = new Date('2026-06-01T12:00:00Z');
export const SERIAL = Buffer.from([0x44]);
export const SINCE = new Date('2026-05-01T00:00:00Z');
const HOUR_MS = 3_600_000;
const DEFAULTS = { check: 'leaf', lists: [], hosts: [], whenUnlisted: 'pass', timestamped: 'refuse' } as const;

export type Judged = EvidenceDefect | AppError | 'held';
export type Answered = Partial<OcspSpec> & { readonly single?: Partial<OcspSingleSpec> };

interface JudgedBy {
  readonly raw?: RawEvidence;
  readonly of?: Pki;
  readonly timestampAuthorities?: CertificateAttestor['timestampAuthorities'];
}

/** A CA whose certificates name a responder on a real server, and how a trust judges them. */
export interface OcspGround extends AsyncDisposable {
  readonly server: HttpServer;
  readonly pki: Pki;
  readonly clock: { now: Date };
  /** What is answered from now on, signed by the CA for the nonce of each question unless it is bent. */
  answer(next: Answered | ServedAnswer): void;
  open(settings?: Partial<AskedSettings>): Promise<OpenedRevocation>;
  judge(opened: OpenedRevocation, more?: JudgedBy): Judged;
  /** As the engine does it: what is lacking is fetched once. */
  judgeFetched(opened: OpenedRevocation, more?: JudgedBy): Promise<Judged>;
}

export async function openOcspGround(): Promise<OcspGround> {
  const clock = { now: NOW };
  let next: Answered | ServedAnswer = {};
  const server = await serveHttp((request) => {
    if ('status' in next) return next;
    const { single, ...spec } = next;
    const question = request.method === 'GET' ? fromPath(request.path) : request.body;
    const times = { thisUpdate: clock.now, nextUpdate: new Date(clock.now.getTime() + 3 * HOUR_MS) };
    const singles = [{ issuer: pki.intermediate, serial: SERIAL, ...times, ...single }];
    const body = ocspResponse({ signer: pki.intermediate, singles, nonce: requestedNonce(question), ...spec });
    return { status: 200, headers: { 'content-type': 'application/ocsp-response' }, body };
  });
  const pki = makePki({ leaf: { serial: SERIAL, extensions: [respondersAt(`${server.url}/ask`)] } });
  const outbound = createOutbound({ env: {}, readFile });

  function judge(opened: OpenedRevocation, more: JudgedBy = {}): Judged {
    const { of = pki, raw = signedEvidence(of), timestampAuthorities } = more;
    const chain = chainAttestor({ chain: of.chainPem });
    assert.ok(chain.kind === 'certificate-chain');
    try {
      const clocks = timestampAuthorities ? { timestampAuthorities } : {};
      const attestor = { ...chain, ...clocks, revocation: opened.rule };
      const { held } = verifyEvidence(raw, { digest: SUBJECT, attestor, now: clock.now });
      return held === true ? 'held' : held;
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  return {
    server,
    pki,
    clock,
    answer: (given) => {
      next = given;
    },
    open: async (settings = {}) => {
      const parts = { outbound, env: {}, readFile, now: () => clock.now, randomBytes };
      const given = { ...DEFAULTS, hosts: [server.host], ocsp: { nonce: true }, ...settings };
      return await openRevocation(given, parts, (at) => `trusts.x.revocation.lists[${at}]`);
    },
    judge,
    async judgeFetched(opened, more) {
      const first = judge(opened, more);
      return first instanceof AppError && (await opened.fetchWanted()) ? judge(opened, more) : first;
    },
    async [Symbol.asyncDispose]() {
      await outbound[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function fromPath(path: string): Buffer {
  return Buffer.from(decodeURIComponent(path.split('/').at(-1) ?? ''), 'base64');
}
