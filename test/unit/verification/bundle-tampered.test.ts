import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exactly } from '#verification/attestor.ts';
import { rootAttestor } from '#verification/root-attestor.ts';
import { parseTrustedRoot } from '#verification/trusted-root.ts';
import { verifyEvidence } from '#verification/verify-evidence.ts';
import { ISSUER } from '../../support/fulcio-ca.ts';
import { createPrivateSigstore, LOGGED_AT, rawBundle } from '../../support/private-sigstore.ts';
import { SUBJECT } from '../../support/signed-evidence.ts';

const sigstore = createPrivateSigstore();
const root = parseTrustedRoot(Buffer.from(JSON.stringify(sigstore.trustedRoot())));
const attestor = rootAttestor(root, { subject: exactly('https://attestry.test/builder'), issuer: exactly(ISSUER) });
const NOW = new Date('2025-06-01T00:00:00Z');

type Path = readonly (string | number)[];

function held(json: unknown): boolean {
  return verifyEvidence(rawBundle(json), { digest: SUBJECT, attestor, now: NOW }).held === true;
}

/** Paths of all texts, and of all objects and lists. */
function walk(value: unknown, path: Path = []): readonly { readonly path: Path; readonly value: unknown }[] {
  const inner = Array.isArray(value)
    ? value.flatMap((each, index) => walk(each, [...path, index]))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, each]) => walk(each, [...path, name]))
      : [];
  return [{ path, value }, ...inner];
}

/** A copy in which one value is another, or gone. */
function changed(json: object, path: Path, change: (value: unknown) => unknown): unknown {
  const copy = structuredClone(json);
  const last = path.at(-1) ?? '';
  const parent: unknown = path.slice(0, -1).reduce<unknown>((inner, name) => Reflect.get(Object(inner), name), copy);
  const next = change(Reflect.get(Object(parent), last));
  if (next === undefined) {
    if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else Reflect.deleteProperty(Object(parent), last);
  } else Reflect.set(Object(parent), last, next);
  return copy;
}

/** One bit of one byte of the text itself. */
function flipText(at: number) {
  return (value: unknown): string => flipped(Buffer.from(String(value)), at).toString();
}

/** One bit of one byte of what the text is the base64 of; the text's own where it is none. */
function flipBytes(at: number) {
  return (value: unknown): string => {
    const text = String(value);
    const bytes = Buffer.from(text, 'base64');
    return bytes.length > 0 && bytes.toString('base64') === text
      ? flipped(bytes, at).toString('base64')
      : flipText(at)(text);
  };
}

function flipped(bytes: Buffer, at: number): Buffer {
  const index = Math.min(bytes.length - 1, Math.floor(at * bytes.length));
  return bytes.map((byte, place) => (place === index ? byte ^ 1 : byte)) as Buffer;
}

const BUNDLES = {
  'Rekor v1, SCT and timestamp': sigstore.bundle({ stamped: LOGGED_AT }),
  'Rekor v2, SCT and timestamp': sigstore.bundle({ logs: ['v2'], stamped: LOGGED_AT }),
};
/** A name that nobody signs and nothing goes by. */
const FREE = /signatures\.0\.keyid$/;
/** Members whose absence means a weaker form that holds by itself. */
const DISPENSABLE =
  /signatures\.0\.keyid$|timestampVerificationData|rfc3161Timestamps\.0$|inclusionPromise$|signedEntryTimestamp$/;

for (const [name, bundle] of Object.entries(BUNDLES)) {
  test(`${name}: the bundle itself holds`, () => assert.ok(held(bundle)));

  test(`${name}: one bit changed in any member, at its start, middle or end, and it does not hold`, () => {
    const texts = walk(bundle).filter(({ value, path }) => typeof value === 'string' && !FREE.test(path.join('.')));
    assert.ok(texts.length > 15);
    for (const { path } of texts) {
      for (const at of [0, 0.25, 0.5, 0.75, 1]) {
        for (const flip of [flipText, flipBytes]) {
          assert.equal(held(changed(bundle, path, flip(at))), false, `${path.join('.')} at ${at}`);
        }
      }
    }
  });

  test(`${name}: without any one member it does not hold`, () => {
    for (const { path } of walk(bundle).slice(1)) {
      if (DISPENSABLE.test(path.join('.'))) continue;
      assert.equal(held(changed(bundle, path, () => undefined)), false, path.join('.'));
    }
  });

  test(`${name}: with a member more, anywhere, it does not hold`, () => {
    for (const { path } of walk(bundle).filter(({ value }) => typeof value === 'object' && !Array.isArray(value))) {
      const more =
        path.length === 0
          ? { ...bundle, more: '' }
          : changed(bundle, path, (value) => ({ ...Object(value), more: '' }));
      assert.equal(held(more), false, path.join('.'));
    }
  });
}

test('a promise that is taken away leaves the time to the timestamp, and without one nothing holds', () => {
  const path = ['verificationMaterial', 'tlogEntries', 0, 'inclusionPromise'];
  assert.ok(held(changed(sigstore.bundle({ stamped: LOGGED_AT }), path, () => undefined)));
  assert.equal(held(changed(sigstore.bundle(), path, () => undefined)), false);
});

test('parts of another bundle do not fit', () => {
  const [one, other] = [
    sigstore.bundle({ stamped: LOGGED_AT }),
    sigstore.bundle({ signer: sigstore.fulcio.issue(), stamped: LOGGED_AT }),
  ];
  for (const path of [
    ['verificationMaterial', 'certificate'],
    ['verificationMaterial', 'tlogEntries'],
    ['verificationMaterial', 'tlogEntries', 0, 'inclusionProof'],
    ['verificationMaterial', 'tlogEntries', 0, 'inclusionPromise'],
    ['verificationMaterial', 'timestampVerificationData'],
    ['dsseEnvelope'],
    ['dsseEnvelope', 'signatures'],
  ]) {
    const theirs: unknown = path.reduce<unknown>((inner, name) => Reflect.get(Object(inner), name), other);
    assert.equal(held(changed(one, path, () => theirs)), false, path.join('.'));
  }
});

test('an envelope is not written in all ways for an entry that no log signed', () => {
  const bundle = sigstore.bundle({ stamped: LOGGED_AT });
  const path = ['verificationMaterial', 'tlogEntries', 0, 'canonicalizedBody'];
  const otherHash = (value: unknown) => {
    const body = JSON.parse(Buffer.from(String(value), 'base64').toString());
    body.spec.envelopeHash.value = 'a'.repeat(64);
    return Buffer.from(JSON.stringify(body)).toString('base64');
  };
  const { held: defect } = verifyEvidence(rawBundle(changed(bundle, path, otherHash)), {
    digest: SUBJECT,
    attestor,
    now: NOW,
  });
  assert.match(defect === true ? '' : defect.message, /the log did not sign it/);
});
