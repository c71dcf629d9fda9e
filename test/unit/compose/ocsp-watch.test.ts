import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOcspSource, ocspSource, readOcspSource } from '#compose/ocsp-source.ts';
import { saidByResponders } from '#compose/ocsp-watch.ts';
import { watchRevocation } from '#compose/revocation-watch.ts';
import type { RevocationCheck } from '#crypto/check-revocation.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import type { AskedCertificate } from '#redis/revocation-memory.ts';
import { createOcspAnswers, type OcspQuestion } from '#trust/ocsp-answers.ts';
import { createRevocationLists } from '#trust/revocation-lists.ts';
import { ocspResponse } from '../../support/ocsp.ts';
import { makePki } from '../../support/pki.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const SINCE = new Date('2026-05-01T00:00:00Z');
const SERIAL = Buffer.from([0x11]);
const { root } = makePki({ intermediates: [] });
const issuer = parseCertificate(root.der);
const SOURCE = ocspSource({ responder: 'http://ocsp.test/ask?a=b', issuer });

function askedOf(serial: string, source = SOURCE, said = ''): AskedCertificate {
  return { source, serial, said };
}

test('a responder and its CA are read back from the text by which they are remembered', () => {
  assert.ok(isOcspSource(SOURCE) && !isOcspSource('http://pki.test/ca.crl'));
  const read = readOcspSource(SOURCE);
  assert.equal(read?.responder, 'http://ocsp.test/ask?a=b');
  assert.equal(read?.issuer.fingerprint, issuer.fingerprint);
  for (const other of ['http://pki.test/ca.crl', 'ocsp ', 'ocsp AAAA http://ocsp.test', 'ocsp']) {
    assert.equal(readOcspSource(other), undefined, other);
  }
});

test('what a responder says anew of a certificate makes the policies under the trust due', async () => {
  const asked = [askedOf(SERIAL.toString('hex'))];
  const due: string[] = [];
  let status: 'good' | 'unknown' | { readonly since: Date; readonly reason: number } | 'away' = 'good';
  const client = {
    ask: async () => {
      if (status === 'away') throw new Error('nobody there');
      const single = { issuer: root, serial: SERIAL, thisUpdate: NOW, nextUpdate: new Date('2026-06-02'), status };
      return ocspResponse({ signer: root, singles: [single] });
    },
  };
  const now = () => NOW;
  const answers = createOcspAnswers(client, { now });
  const reader = { read: () => Promise.reject(new Error('a responder is no list')) };
  const watch = () =>
    watchRevocation({
      revocation: {
        lists: new Map([['company', createRevocationLists(reader, { now })]]),
        answers: new Map([['company', answers]]),
      },
      memory: {
        asked: async () => asked,
        note: async (_trust, certificate) => {
          asked[0] = certificate;
        },
      },
      ledger: { makeDue: async ({ policyUri }) => (policyUri === undefined ? 0 : due.push(policyUri)) },
      policiesOf: (trust) => [`attestry:trust:${trust}/cyclonedx`],
      now,
    });
  for (const [next, wanted, said] of [
    ['good', 0, 'good'],
    [{ since: SINCE, reason: 6 }, 1, 'certificateHold 2026-05-01T00:00:00.000Z'],
    ['unknown', 1, 'certificateHold 2026-05-01T00:00:00.000Z'],
    ['away', 1, 'certificateHold 2026-05-01T00:00:00.000Z'],
    ['good', 2, 'good'],
    [{ since: SINCE, reason: 1 }, 3, 'keyCompromise 2026-05-01T00:00:00.000Z'],
  ] as const) {
    status = next;
    await watch();
    assert.equal(due.length, wanted, JSON.stringify(next));
    assert.equal(asked[0]?.said, said);
  }
});

test('a responder that tells nothing is asked no more than sixteen questions, and others all the same', async () => {
  const questions: string[] = [];
  const answers = {
    refresh: async ({ responder }: OcspQuestion): Promise<RevocationCheck> => {
      questions.push(responder);
      return responder === 'http://away.test' ? { kind: 'unknown', problem: 'nobody there' } : { kind: 'good' };
    },
  };
  const many = ['http://away.test', 'http://here.test'].flatMap((responder) =>
    Array.from({ length: 40 }, (_, index) => askedOf(`${index}`, ocspSource({ responder, issuer }))),
  );
  const said = await saidByResponders(
    [...many, askedOf('1', 'http://pki.test/ca.crl'), askedOf('1', 'ocsp x y')],
    answers,
  );
  assert.equal(said.size, 40);
  assert.equal(questions.filter((each) => each === 'http://away.test').length, 16);
  assert.equal(questions.length, 56);
  assert.equal((await saidByResponders(many, undefined)).size, 0);
});
