import assert from 'node:assert/strict';
import { readFile, rename, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { watchTrustFiles } from '#compose/trust-watch.ts';
import { openTrusts } from '#compose/trusts.ts';
import { AppError } from '#model/errors.ts';
import { TrustOptions } from '#trust/options.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { type BundleSpec, createPrivateSigstore } from '../../support/private-sigstore.ts';
import { makeScratch } from '../../support/scratch.ts';
import { SUBJECT } from '../../support/signed-evidence.ts';

type PrivateSigstore = ReturnType<typeof createPrivateSigstore>;

const NOW = new Date('2025-06-01T00:00:00Z');
const ours = createPrivateSigstore();
const theirs = createPrivateSigstore();

/** A trust in files, what is told of it, and how evidence of either installation counts now. */
async function ground(option: object, files: Readonly<Record<string, string>>) {
  const scratch = await makeScratch();
  for (const [name, text] of Object.entries(files)) await scratch.write(name, text);
  const read = async (path: string) => {
    try {
      return await readFile(scratch.at(path));
    } catch {
      throw new AppError('trust-unreadable', `${path} cannot be read`);
    }
  };
  const opened = await openTrusts([TrustOptions.parse({ id: 'root', ...option })], read);
  const due: string[] = [];
  const told: string[] = [];
  let isAway = false;
  const note = (_fields: object, text = '') => void told.push(text);
  const look = watchTrustFiles({
    files: opened.files,
    policiesOf: (trust) => [`policy of ${trust}`],
    ledger: {
      makeDue: async ({ policyUri = '' }) => {
        if (isAway) throw new AppError('redis-unavailable', 'no answer');
        due.push(policyUri);
        return 1;
      },
    },
    metrics: { count: (name, labels) => void told.push(`${name} ${Object.values(labels ?? {}).join()}`) },
    log: { info: note, warn: note },
    now: () => NOW,
  });
  const holds = (sigstore: PrivateSigstore, spec: BundleSpec = {}) => {
    const attestor = opened.trusts.get('root');
    assert.ok(attestor);
    return verifyEvidence(sigstore.raw(spec), { digest: SUBJECT, attestor, now: NOW }).held === true;
  };
  const ledger = (away: boolean) => {
    isAway = away;
  };
  return { scratch, look, due, told, holds, ledger, [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose]() };
}

const rootOf = (sigstore: PrivateSigstore) => JSON.stringify(sigstore.trustedRoot());
const FETCHES = 'attestry_trust_fetches_total';

test('a trusted root that is put in place of another counts at once, and what was judged under it is due', async () => {
  await using at = await ground({ trustedRoot: 'root.json' }, { 'root.json': rootOf(ours) });
  assert.deepEqual([at.holds(ours), at.holds(theirs)], [true, false]);
  await at.look();
  assert.deepEqual([at.due, at.told], [[], []]);
  await at.scratch.write('next.json', rootOf(theirs));
  await rename(at.scratch.at('next.json'), at.scratch.at('root.json'));
  await at.look();
  assert.deepEqual([at.holds(ours), at.holds(theirs)], [false, true]);
  assert.deepEqual(at.due, ['policy of root']);
  assert.deepEqual(at.told, [`${FETCHES} fetched`, 'changed files of a trust taken over']);
  await at.look();
  assert.equal(at.due.length, 1);
});

test('files that do not read leave what there is, and are told once', async () => {
  await using at = await ground({ trustedRoot: 'root.json' }, { 'root.json': rootOf(ours) });
  await at.scratch.write('root.json', rootOf(theirs).slice(0, 400));
  await at.look();
  await at.look();
  assert.deepEqual([at.holds(ours), at.holds(theirs)], [true, false]);
  assert.equal(at.told.length, 2);
  assert.equal(at.told[0], `${FETCHES} kept`);
  assert.match(at.told[1] ?? '', /not taken over, the present ones count: /);
  await rm(at.scratch.at('root.json'));
  await at.look();
  assert.match(at.told[3] ?? '', /root\.json cannot be read/);
  assert.deepEqual([at.holds(ours), at.due], [true, []]);
  await at.scratch.write('root.json', rootOf(theirs));
  await at.look();
  assert.deepEqual([at.holds(ours), at.holds(theirs), at.due.length], [false, true, 1]);
});

test('several files are taken over together or not at all', async () => {
  const pem = (sigstore: PrivateSigstore) => ({
    'chain.pem': sigstore.pki.chainPem,
    'rekor.pub': sigstore.rekorV1.pem,
  });
  const option = { certificateChain: 'chain.pem', logs: ['rekor.pub'] };
  await using at = await ground(option, pem(ours));
  await at.scratch.write('chain.pem', theirs.pki.chainPem);
  await at.scratch.write('rekor.pub', 'no key');
  await at.look();
  assert.deepEqual([at.holds(ours), at.holds(theirs)], [true, false]);
  await at.scratch.write('rekor.pub', theirs.rekorV1.pem);
  await at.look();
  assert.deepEqual([at.holds(ours), at.holds(theirs)], [false, true]);
});

test('a key is replaced as well, and the ledger hears of it when it is back', async () => {
  const pem = ({ signer }: PrivateSigstore) => signer.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  await using at = await ground({ key: 'signer.pub' }, { 'signer.pub': pem(ours) });
  assert.deepEqual([at.holds(ours, { plain: true }), at.holds(theirs, { plain: true })], [true, false]);
  await at.scratch.write('signer.pub', pem(theirs));
  at.ledger(true);
  await assert.rejects(at.look(), { code: 'redis-unavailable' });
  assert.deepEqual([at.holds(ours, { plain: true }), at.holds(theirs, { plain: true })], [false, true]);
  at.ledger(false);
  await at.look();
  assert.deepEqual(at.due, ['policy of root']);
});
