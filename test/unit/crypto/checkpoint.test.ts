import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import test from 'node:test';
import { parseCheckpoint } from '#crypto/checkpoint.ts';
import { checkpointProblem } from '#crypto/checkpoint-signature.ts';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { noteKeyId } from '#crypto/log-key.ts';

const ROOT = createHash('sha256').update('root').digest();
const ed25519 = generateKeyPairSync('ed25519');
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function note(body: string, ...signatures: readonly Buffer[]): string {
  const lines = signatures.map(
    (signature) => `\u2014 log.test ${Buffer.concat([Buffer.alloc(4, 1), signature]).toString('base64')}\n`,
  );
  return `${body}\n${lines.join('')}`;
}

const BODY = `log.test - 1193050959916656506\n42\n${ROOT.toString('base64')}\n`;

const REKOR_V1 = { id: publicKeyFingerprint(p256.publicKey), key: p256.publicKey };
const REKOR_V2 = { id: 'any', key: ed25519.publicKey, origin: 'log.test' };

/** A checkpoint of one of the two logs, with a line of another signer before its own. */
function signedNote(
  body: string,
  { key }: { key: KeyObject },
  bend: (signature: Buffer) => Buffer = (as) => as,
): string {
  const signature =
    key === p256.publicKey
      ? sign('sha256', Buffer.from(body), p256.privateKey)
      : sign(null, Buffer.from(body), ed25519.privateKey);
  const line = (hint: Buffer, bytes: Buffer) => `\u2014 log.test ${Buffer.concat([hint, bytes]).toString('base64')}\n`;
  const own = line(Buffer.from(noteKeyId('log.test', key).slice(0, 8), 'hex'), bend(signature));
  return `${body}\n${line(Buffer.alloc(4, 1), Buffer.alloc(64, 9))}${own}`;
}

test('a checkpoint of either kind of log is read, and its signature counts by the key alone', () => {
  const ofTree = BODY;
  const ofHost = BODY.replace(' - 1193050959916656506', '');
  for (const [body, log, other] of [
    [ofTree, REKOR_V1, { ...REKOR_V2, key: ed25519.publicKey }],
    [ofHost, REKOR_V2, { ...REKOR_V1, origin: 'log.test' }],
  ] as const) {
    const found = parseCheckpoint(signedNote(body, log));
    assert.ok(found);
    assert.equal(found.origin, body.split('\n')[0]);
    assert.equal(found.treeSize, 42n);
    assert.deepEqual(found.rootHash, ROOT);
    assert.equal(checkpointProblem(found, log), undefined);
    assert.match(checkpointProblem(found, other) ?? '', /no signature of the log/);
    const bent = parseCheckpoint(signedNote(body, log, (signature) => Buffer.from(signature).fill(7, 40, 44)));
    assert.ok(bent);
    assert.match(checkpointProblem(bent, log) ?? '', /did not sign/);
  }
});

test('a log of the second kind must sign under the name of its host', () => {
  const found = parseCheckpoint(signedNote(BODY.replace(' - 1193050959916656506', ''), REKOR_V2));
  assert.ok(found);
  assert.match(checkpointProblem(found, { ...REKOR_V2, origin: 'other.test' }) ?? '', /not of other\.test/);
});

test('extension lines and empty lines of the text are signed with it', () => {
  const body = `${BODY}an extension\n\nanother\n`;
  const text = signedNote(body, REKOR_V1);
  const found = parseCheckpoint(text);
  assert.ok(found);
  assert.equal(checkpointProblem(found, REKOR_V1), undefined);
  const bent = parseCheckpoint(text.replace('an extension', 'an Extension'));
  assert.ok(bent);
  assert.match(checkpointProblem(bent, REKOR_V1) ?? '', /did not sign/);
});

test('what is no checkpoint is none', () => {
  const signature = sign(null, Buffer.from(BODY), ed25519.privateKey);
  const broken = {
    empty: '',
    'without signatures': BODY,
    'without a last line end': note(BODY, signature).slice(0, -1),
    'a size that is no number': note(BODY.replace('\n42\n', '\n4x\n'), signature),
    'a size with leading zeros': note(BODY.replace('\n42\n', '\n042\n'), signature),
    'a root that is too short': note(`log.test\n42\n${ROOT.subarray(1).toString('base64')}\n`, signature),
    'without an origin': note(BODY.slice(BODY.indexOf('\n')), signature),
    'a signature that is no base64': `${BODY}\n\u2014 log.test !!!!!!!!\n`,
    'a signature of a hint alone': note(BODY, Buffer.alloc(0)),
    'longer than any': note(`${BODY}${'x'.repeat(70_000)}\n`, signature),
    'more signatures than any': note(BODY, ...Array.from({ length: 101 }, () => signature)),
  };
  for (const [what, text] of Object.entries(broken)) assert.equal(parseCheckpoint(text), undefined, what);
});
