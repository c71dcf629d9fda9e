import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { orderChain } from '#crypto/chain.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import { caDefaults, type Issued, issueFrom, makePki, selfSigned } from '../../support/pki.ts';

const read = (each: Issued) => parseCertificate(each.der);

function order(leaf: Issued, others: readonly Issued[]) {
  const { chain, unused } = orderChain(read(leaf), others.map(read));
  return { chain: chain.map(({ subject }) => subject), unused: unused.map(({ subject }) => subject) };
}

function missing(leaf: Issued, others: readonly Issued[], message: RegExp): void {
  assert.throws(
    () => orderChain(read(leaf), others.map(read)),
    (error) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, 'certificate-refused');
      assert.match(error.message, message);
      assert.match(error.mend ?? '', /append the certificate of/);
      return true;
    },
  );
}

describe('a chain', () => {
  const pki = makePki({ intermediates: [{}, {}] });
  const [low, high] = pki.intermediates;
  const ordered = ['CN=Test Signer', 'CN=Test Intermediate 2', 'CN=Test Intermediate 1', 'CN=Test Root'];
  assert.ok(low && high);

  it('comes into order from any order', () => {
    const { root } = pki;
    for (const others of [
      [low, high, root],
      [root, high, low],
      [high, root, low],
      [low, root, high],
    ]) {
      assert.deepEqual(order(pki.leaf, others), { chain: ordered, unused: [] });
    }
  });

  it('may hold the leaf and certificates twice', () => {
    assert.deepEqual(order(pki.leaf, [pki.leaf, low, low, high, pki.root, pki.leaf]), { chain: ordered, unused: [] });
  });

  it('reports what it does not need', () => {
    const stray = makePki({ root: { subject: 'Stray' } }).root;
    assert.deepEqual(order(pki.leaf, [stray, low, high, pki.root]).unused, ['CN=Stray']);
  });

  it('names the issuer that is missing', () => {
    missing(pki.leaf, [], /"CN=Test Signer" was issued by "CN=Test Intermediate 2", and the file does not have it/);
    missing(pki.leaf, [low, pki.root], /"CN=Test Intermediate 2" was issued by "CN=Test Intermediate 1"/);
    missing(pki.leaf, [low, high], /"CN=Test Intermediate 1" was issued by "CN=Test Root"/);
  });

  it('tells a namesake from the issuer', () => {
    missing(
      pki.leaf,
      [low, high, makePki().root],
      /a certificate with that name, but its key did not make the signature/,
    );
  });

  it('chooses the way that reaches a root among cross-signed certificates', () => {
    const other = selfSigned({ subject: 'Other Root', ...caDefaults() });
    const crossed = issueFrom(other, { subject: 'Test Intermediate 1', key: high.key, ...caDefaults() });
    const { chain, unused } = order(pki.leaf, [low, crossed, high, pki.root]);
    assert.deepEqual([chain, unused], [ordered, ['CN=Test Intermediate 1']]);
  });

  it('is the certificate alone when that is self-signed', () => {
    assert.deepEqual(order(selfSigned({}), []), { chain: ['CN=Test Signer'], unused: [] });
  });

  it('ends on certificates that sign each other', () => {
    const [x, y] = [selfSigned({ subject: 'X', ...caDefaults() }), selfSigned({ subject: 'Y', ...caDefaults() })];
    const xy = issueFrom(y, { subject: 'X', key: x.key, ...caDefaults() });
    const yx = issueFrom(x, { subject: 'Y', key: y.key, ...caDefaults() });
    missing(issueFrom(x), [xy, yx], /does not reach a self-signed root/);
  });
});
