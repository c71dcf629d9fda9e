import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createOutbound, type Outbound } from '#compose/outbound.ts';
import { openRevocation } from '#compose/revocation.ts';
import { AppError } from '#model/errors.ts';
import { chainAttestor } from '#verification/attestor-from-pem.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { ocspDelegate } from '../../support/ocsp.ts';
import { type OpensslResponder, startOpensslResponder } from '../../support/openssl-responder.ts';
import { type Issued, issueFrom, type KeyKind, makePki } from '../../support/pki.ts';
import { assertDefect, assertUnknown } from '../../support/revocation-findings.ts';
import { SUBJECT, signedEvidence } from '../../support/signed-evidence.ts';

const SINCE = new Date('2024-05-01T00:00:00Z');
const GOOD = Buffer.from([0x44]);
const REVOKED = Buffer.from([0x45]);
const UNKNOWN = Buffer.from([0x46]);

for (const keyKind of ['p256', 'rsa2048'] as const) {
  describe(`a real responder, openssl ocsp, of a CA with a key of the kind ${keyKind}`, () => {
    const pki = makePki({ intermediates: [{ keyKind }] });
    const leaves = new Map<Buffer, Issued>(
      [GOOD, REVOKED, UNKNOWN].map((serial) => [serial, issueFrom(pki.intermediate, { serial })]),
    );
    let outbound: Outbound;
    const open: AsyncDisposable[] = [];

    before(() => {
      outbound = createOutbound({ env: {}, readFile });
    });
    after(async () => {
      for (const each of [...open, outbound]) await each[Symbol.asyncDispose]();
    });

    async function responder(signer: Issued, nextMinutes?: number): Promise<OpensslResponder> {
      const started = await startOpensslResponder({
        ca: pki.intermediate,
        signer,
        index: [{ serial: GOOD }, { serial: REVOKED, revoked: { since: SINCE, reason: 'superseded' } }],
        ...(nextMinutes === undefined ? {} : { nextMinutes }),
      });
      open.push(started);
      return started;
    }

    async function judge(serial: Buffer, ocsp: { readonly responder: string; readonly nonce: boolean }) {
      const settings = {
        check: 'leaf',
        lists: [],
        hosts: [],
        whenUnlisted: 'pass',
        timestamped: 'refuse',
        ocsp,
      } as const;
      const parts = { outbound, env: {}, readFile, now: () => new Date(), randomBytes };
      const { rule, fetchWanted } = await openRevocation(settings, parts, () => '');
      const chain = chainAttestor({ chain: pki.chainPem });
      assert.ok(chain.kind === 'certificate-chain');
      const leaf = leaves.get(serial);
      assert.ok(leaf);
      const raw = signedEvidence({ leaf, chainPem: pki.chainPem });
      const look = () => {
        try {
          const context = { digest: SUBJECT, attestor: { ...chain, revocation: rule }, now: new Date() };
          return verifyEvidence(raw, context).held;
        } catch (error) {
          if (error instanceof AppError) return error;
          throw error;
        }
      };
      assertUnknown(look(), /was not asked yet/);
      assert.equal(await fetchWanted(), true);
      return look();
    }

    for (const [who, make, nextMinutes] of [
      ['the CA itself', () => pki.intermediate, undefined],
      ['a delegate', () => ocspDelegate(pki.intermediate, { keyKind: keyKind satisfies KeyKind }), 60],
    ] as const) {
      it(`is understood where ${who} signs, asked with a nonce and without`, async () => {
        const { url } = await responder(make(), nextMinutes);
        for (const nonce of [true, false]) {
          assert.equal(await judge(GOOD, { responder: url, nonce }), true);
          const wanted = /revoked since 2024-05-01T00:00:00\.000Z \(superseded\), by the responder http/;
          assertDefect(await judge(REVOKED, { responder: url, nonce }), 'certificate-revoked', wanted);
          assertUnknown(await judge(UNKNOWN, { responder: url, nonce }), /does not know the certificate/);
        }
      });
    }

    it('is not believed where it may not answer for the CA', async () => {
      const stranger = issueFrom(pki.intermediate, { subject: 'Test Responder' });
      const { url } = await responder(stranger, 60);
      for (const serial of [GOOD, REVOKED]) {
        assertUnknown(await judge(serial, { responder: url, nonce: true }), /not for OCSP/);
      }
    });
  });
}
