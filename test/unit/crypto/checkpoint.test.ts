import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { isCheckpointSigned, parseCheckpoint } from '#crypto/checkpoint.ts';

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

test('a checkpoint of either kind of log is read, and its signature counts by the key alone', () => {
  for (const [name, pair, signature] of [
    ['Rekor v1', p256, sign('sha256', Buffer.from(BODY), p256.privateKey)],
    ['Rekor v2', ed25519, sign(null, Buffer.from(BODY), ed25519.privateKey)],
  ] as const) {
    const found = parseCheckpoint(note(BODY, Buffer.alloc(64, 9), signature));
    assert.ok(found, name);
    assert.equal(found.origin, 'log.test - 1193050959916656506');
    assert.equal(found.treeSize, 42n);
    assert.deepEqual(found.rootHash, ROOT);
    assert.ok(isCheckpointSigned(found, pair.publicKey), name);
    const other = pair === p256 ? ed25519 : p256;
    assert.ok(!isCheckpointSigned(found, other.publicKey), name);
  }
});

test('extension lines and empty lines of the text are signed with it', () => {
  const body = `${BODY}an extension\n\nanother\n`;
  const found = parseCheckpoint(note(body, sign(null, Buffer.from(body), ed25519.privateKey)));
  assert.ok(found && isCheckpointSigned(found, ed25519.publicKey));
  const bent = parseCheckpoint(note(`${BODY}an Extension\n`, sign(null, Buffer.from(body), ed25519.privateKey)));
  assert.ok(bent && !isCheckpointSigned(bent, ed25519.publicKey));
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
