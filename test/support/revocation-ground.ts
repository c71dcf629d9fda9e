import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createOutbound } from '#compose/outbound.ts';
import { openRevocation } from '#compose/revocation.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceDefect, RawEvidence } from '#model/evidence.ts';
import type { RevocationLists } from '#trust/revocation-lists.ts';
import { createRevocationRule, type RevocationSettings } from '#trust/revocation-rule.ts';
import type { Attestor, CertificateAttestor } from '#verification/attestor.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type CrlSpec, crlPem, distributionPointsAt } from './crl.ts';
import { type HttpReceiver, startHttpReceiver } from './http-receiver.ts';
import { makePki, type Pki } from './pki.ts';
import { makeScratch, type Scratch } from './scratch.ts';
import { SUBJECT, signedEvidence } from './signed-evidence.ts';

export const NOW = new Date('2026-06-01T12:00:00Z');
/** Of the leaf that the ground's CA certified. */
export const SERIAL = Buffer.from([0x44]);
export const SINCE = new Date('2026-05-01T00:00:00Z');
const DEFAULTS = { check: 'leaf', lists: [], whenUnlisted: 'pass', timestamped: 'refuse' } as const;

export type Judged = 'held' | EvidenceDefect | AppError;

/** A CA whose certificates name a list on a real server, and how a trust judges them. */
export interface RevocationGround extends AsyncDisposable {
  readonly server: HttpReceiver;
  readonly scratch: Scratch;
  readonly pki: Pki;
  /** What time it is for all of them. */
  readonly clock: { now: Date };
  /** The server's list from now on. */
  serve(spec?: CrlSpec): void;
  /** The variable LIST holds a list that revokes the leaf; files are those of the scratch folder. */
  open(lists?: readonly string[], hosts?: readonly string[]): Promise<RevocationLists>;
  attestor(lists: RevocationLists, more?: Partial<RevocationSettings>, of?: Pki): CertificateAttestor;
  judge(by: Attestor, raw?: RawEvidence): Judged;
  /** As the engine does it: what is lacking is fetched once. */
  judgeFetched(lists: RevocationLists, by: Attestor, raw?: RawEvidence): Promise<Judged>;
}

export async function openRevocationGround(): Promise<RevocationGround> {
  const [server, scratch] = await Promise.all([startHttpReceiver(), makeScratch()]);
  const point = distributionPointsAt(`${server.url}/intermediate.crl`);
  const pki = makePki({ leaf: { serial: SERIAL, extensions: [point] } });
  const clock = { now: NOW };
  const files = { readFile: (path: string) => readFile(scratch.at(path)), env: {} };
  const outbound = createOutbound(files);

  function judge(by: Attestor, raw = signedEvidence(pki)): Judged {
    try {
      const { held } = verifyEvidence(raw, { digest: SUBJECT, attestor: by, now: clock.now });
      return held === true ? 'held' : held;
    } catch (error) {
      if (error instanceof AppError) return error;
      throw error;
    }
  }

  return {
    server,
    scratch,
    pki,
    clock,
    serve: (spec = {}) => server.answer({ status: 200, body: crlPem(pki.intermediate, spec) }),
    async open(lists = [], hosts = [server.host]) {
      const env = { LIST: crlPem(pki.intermediate, { revoked: [{ serial: SERIAL, since: SINCE }] }) };
      const parts = { ...files, outbound, env, now: () => clock.now, randomBytes };
      const opened = await openRevocation(
        { ...DEFAULTS, lists, hosts },
        parts,
        (at) => `trusts.x.revocation.lists[${at}]`,
      );
      return opened.lists;
    },
    attestor(lists, more = {}, of = pki) {
      const chain = chainAttestor({ chain: of.chainPem });
      assert.ok(chain.kind === 'certificate-chain');
      return { ...chain, revocation: createRevocationRule({ ...DEFAULTS, ...more }, { lists }) };
    },
    judge,
    async judgeFetched(lists, by, raw) {
      const first = judge(by, raw);
      return first instanceof AppError && (await lists.fetchWanted()) ? judge(by, raw) : first;
    },
    async [Symbol.asyncDispose]() {
      await outbound[Symbol.asyncDispose]();
      await Promise.all([server[Symbol.asyncDispose](), scratch[Symbol.asyncDispose]()]);
    },
  };
}

/** Neither good nor bad. */
export function assertUnknown(found: Judged, wanted: RegExp): void {
  assert.ok(found instanceof AppError, JSON.stringify(found));
  assert.equal(found.code, 'revocation-unknown');
  assert.match(found.message, wanted);
}

export function assertDefect(found: Judged, code: EvidenceDefect['code'], wanted = /./): void {
  assert.ok(found !== 'held' && !(found instanceof AppError), String(found));
  assert.equal(found.code, code);
  assert.match(found.message, wanted);
}
