import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchRevocation } from '#compose/revocation-watch.ts';
import { parseRevocationLists } from '#crypto/revocation-list.ts';
import type { AskedCertificate } from '#redis/revocation-memory.ts';
import { createRevocationLists } from '#trust/revocation-lists.ts';
import { type CrlSpec, makeCrl } from '../../support/crl.ts';
import { makePki } from '../../support/pki.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const SERIAL = Buffer.from([0x11]);
const SINCE = new Date('2026-05-01T00:00:00Z');
const SOURCE = 'http://pki.test/ca.crl';
const { root } = makePki({ intermediates: [] });

function revoked(reason?: number): CrlSpec {
  return { revoked: [{ serial: SERIAL, since: SINCE, ...(reason === undefined ? {} : { reason }) }] };
}

/** A watch over one certificate; the list is what `publish` last said, or cannot be had. */
function setUp(said = '') {
  const asked: AskedCertificate[] = [{ source: SOURCE, serial: SERIAL.toString('hex'), said }];
  const due: string[] = [];
  let crl: Buffer | undefined;
  let failing = false;
  const reader = {
    read: async () => {
      if (crl) return crl;
      throw new Error('nobody there');
    },
  };
  const lists = createRevocationLists(reader, { now: () => NOW });
  return {
    due,
    said: () => asked[0]?.said,
    publish: (spec: CrlSpec | undefined) => {
      crl = spec && makeCrl(root, spec);
      if (crl) assert.equal(parseRevocationLists(crl).length, 1);
    },
    crash: (value: boolean) => {
      failing = value;
    },
    watch: () =>
      watchRevocation({
        revocation: { lists: new Map([['company', lists]]) },
        memory: {
          asked: async () => asked,
          note: async (_trust, certificate) => {
            if (failing) throw new Error('Redis is away');
            asked[0] = certificate;
          },
        },
        ledger: { makeDue: async ({ policyUri }) => (policyUri === undefined ? 0 : due.push(policyUri)) },
        policiesOf: (trust) => [`attestry:trust:${trust}/cyclonedx`],
        now: () => NOW,
      }),
  };
}

test('a list that says nothing new makes nothing due', async () => {
  const { publish, watch, due, said } = setUp();
  publish({});
  assert.equal(await watch(), 0);
  assert.equal(said(), 'good');
  publish({ revoked: [{ serial: Buffer.from([0x12]), since: SINCE }] });
  await watch();
  assert.deepEqual(due, []);
});

test('a revocation makes the policies under the trust due once, and its end too', async () => {
  const { publish, watch, due } = setUp('good');
  publish(revoked(6));
  assert.equal(await watch(), 1);
  await watch();
  assert.deepEqual(due, ['attestry:trust:company/cyclonedx']);
  publish({});
  await watch();
  assert.equal(due.length, 2, 'taken off hold');
  publish(revoked(1));
  await watch();
  assert.equal(due.length, 3);
});

test('a certificate that was asked for and revoked before anybody watched is news', async () => {
  const { publish, watch, due } = setUp('');
  publish(revoked());
  await watch();
  assert.equal(due.length, 1);
});

test('a list that cannot be had is no news', async () => {
  const { publish, watch, due, said } = setUp('good');
  publish(undefined);
  await watch();
  assert.deepEqual([due, said()], [[], 'good']);
});

test('news that could not be put down is told again', async () => {
  const { publish, watch, due, crash } = setUp('good');
  publish(revoked(1));
  crash(true);
  await assert.rejects(watch(), /Redis is away/);
  crash(false);
  await watch();
  assert.equal(due.length, 2);
});
