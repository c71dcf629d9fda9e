import assert from 'node:assert/strict';
import crypto, { X509Certificate } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { after, test } from 'node:test';

/** Counts what is dear: checks of signatures, and imports of keys. */
const counted = { checks: 0, imports: 0 };
const { verify, createPublicKey } = crypto;
const { verify: verifyCertificate } = X509Certificate.prototype;
crypto.verify = ((...args: Parameters<typeof verify>) => {
  counted.checks += 1;
  return verify(...args);
}) as typeof verify;
crypto.createPublicKey = (key) => {
  counted.imports += 1;
  return createPublicKey(key);
};
X509Certificate.prototype.verify = function verifyCounted(key) {
  counted.checks += 1;
  return verifyCertificate.call(this, key);
};
const publicKey = Object.getOwnPropertyDescriptor(X509Certificate.prototype, 'publicKey');
assert.ok(publicKey?.get);
Object.defineProperty(X509Certificate.prototype, 'publicKey', {
  ...publicKey,
  get() {
    counted.imports += 1;
    return publicKey.get?.call(this);
  },
});
syncBuiltinESMExports();
after(() => {
  Object.assign(crypto, { verify, createPublicKey });
  X509Certificate.prototype.verify = verifyCertificate;
  Object.defineProperty(X509Certificate.prototype, 'publicKey', publicKey);
  syncBuiltinESMExports();
});

const { rootAttestor } = await import('#verification/root-attestor.ts');
const { parseTrustedRoot } = await import('#verification/trusted-root.ts');
const { verifyEvidence } = await import('#verification/verify-evidence.ts');
const { createPrivateSigstore, LOGGED_AT } = await import('../../support/private-sigstore.ts');
const { SUBJECT } = await import('../../support/signed-evidence.ts');

const sigstore = createPrivateSigstore();
const attestor = rootAttestor(parseTrustedRoot(Buffer.from(JSON.stringify(sigstore.trustedRoot()))), undefined);

function countOf(work: () => void): { readonly checks: number; readonly imports: number } {
  Object.assign(counted, { checks: 0, imports: 0 });
  work();
  return { ...counted };
}

function judge(raw: ReturnType<typeof sigstore.raw>): void {
  const now = new Date('2025-06-01T00:00:00Z');
  assert.equal(verifyEvidence(raw, { digest: SUBJECT, attestor, now }).held, true);
}

test('a bundle of a signer that was never seen costs five checks, and the import of its key alone, once the trusted root was used', () => {
  judge(sigstore.raw());
  const fresh = sigstore.raw({ signer: sigstore.fulcio.issue() });
  // Leaf under its issuer, certificate timestamp, promise, checkpoint, and the signature itself; its key is new.
  assert.deepEqual(
    countOf(() => judge(fresh)),
    { checks: 5, imports: 1 },
  );
});

test('another bundle of the same signer costs its own signature, promise, checkpoint and certificate timestamp', () => {
  judge(sigstore.raw());
  const other = sigstore.raw({
    payload: JSON.stringify(
      JSON.parse(Buffer.from(sigstore.bundle().dsseEnvelope.payload, 'base64').toString()),
      null,
      1,
    ),
  });
  assert.deepEqual(
    countOf(() => judge(other)),
    { checks: 4, imports: 0 },
  );
});

test('with a timestamp in place of the promise it is as many', () => {
  judge(sigstore.raw({ logs: ['v2'], stamped: LOGGED_AT }));
  const fresh = sigstore.raw({ signer: sigstore.fulcio.issue(), logs: ['v2'], stamped: LOGGED_AT });
  assert.deepEqual(
    countOf(() => judge(fresh)),
    { checks: 5, imports: 1 },
  );
});
