import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import { lintCertificate } from '#crypto/lint.ts';
import { type Finding, LINT_RULES, type LintRule } from '#crypto/lint-rules.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import { utf8 } from '../../support/der.ts';
import {
  type CertificateSpec,
  EKU,
  extension,
  type Issued,
  makeKey,
  makePki,
  nameConstraints,
  type Pki,
  selfSigned,
} from '../../support/pki.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const EXPIRED: CertificateSpec = { notBefore: new Date('2020-01-01Z'), notAfter: new Date('2021-01-01Z') };

const reported = new Set<LintRule>();

function lint(leaf: Issued, chain: readonly Issued[], key?: KeyObject, now = NOW): readonly Finding[] {
  const read = (each: Issued) => parseCertificate(each.der);
  const findings = lintCertificate({ leaf: read(leaf), chain: chain.map(read), ...(key ? { key } : {}), now });
  for (const { rule } of findings) reported.add(rule);
  return findings;
}

function lintPki(pki: Pki, now = NOW): readonly Finding[] {
  return lint(pki.leaf, [pki.root, ...pki.intermediates], pki.leaf.key, now);
}

type Wanted = readonly [level: Finding['level'], rule: LintRule, certificate: number, message: RegExp, mend: RegExp];

/** Exactly these findings, in this order. */
function finds(findings: readonly Finding[], ...wanted: readonly Wanted[]): void {
  assert.deepEqual(
    findings.map(({ level, rule, certificate }) => [level, rule, certificate]),
    wanted.map(([level, rule, certificate]) => [level, rule, certificate]),
  );
  for (const [index, [, , , message, mend]] of wanted.entries()) {
    assert.match(findings[index]?.message ?? '', message);
    assert.match(findings[index]?.mend ?? '', mend);
  }
}

describe('the linter', () => {
  it('finds nothing in a sound certificate', () => {
    finds(lintPki(makePki()));
    finds(lintPki(makePki({ intermediates: [] })));
    const key = makeKey('rsa2048');
    finds(lintPki(makePki({ leaf: { key, subjectAlternativeNames: [{ type: 'email', value: 'ci@attestry.test' }] } })));
  });

  const leafCases: readonly (readonly [string, CertificateSpec, Wanted])[] = [
    [
      'no alternative name',
      { subjectAlternativeNames: null },
      ['error', 'alternative-name', 0, /no subject alternative name$/, /subjectAltName = URI:/],
    ],
    [
      'only a DNS name',
      { subjectAlternativeNames: [{ type: 'dns', value: 'a.test' }] },
      ['error', 'alternative-name', 0, /URI or e-mail/, /subjectAltName/],
    ],
    [
      'a control character in a name',
      { subjectAlternativeNames: [{ type: 'email', value: 'a\u0007@b.test' }] },
      ['error', 'alternative-name', 0, /control character/, /subjectAltName/],
    ],
    [
      'no extended key usage',
      { extendedKeyUsage: null },
      ['error', 'code-signing', 0, /no extended key usage/, /extendedKeyUsage = codeSigning/],
    ],
    [
      'another extended key usage',
      { extendedKeyUsage: [EKU.serverAuth] },
      ['error', 'code-signing', 0, /1\.3\.6\.1\.5\.5\.7\.3\.1/, /codeSigning/],
    ],
    [
      'any extended key usage',
      { extendedKeyUsage: [EKU.any] },
      ['error', 'code-signing', 0, /anyExtendedKeyUsage/, /codeSigning/],
    ],
    [
      'a key usage without signing',
      { keyUsage: ['keyEncipherment'] },
      ['error', 'key-usage', 0, /keyEncipherment\) lacks digitalSignature/, /keyUsage = critical, digitalSignature/],
    ],
    ['no key usage', { keyUsage: null }, ['warning', 'key-usage', 0, /no key usage/, /digitalSignature/]],
    ['a CA as a leaf', { basicConstraints: { ca: true } }, ['error', 'leaf-not-ca', 0, /is a CA/, /CA:FALSE/]],
    ['an expired leaf', EXPIRED, ['error', 'not-expired', 0, /expired at 2021-01-01/, /renew/]],
    [
      'a leaf of tomorrow',
      { notBefore: new Date('2026-06-02Z') },
      ['error', 'valid-already', 0, /from 2026-06-02/, /clock/],
    ],
    [
      'a leaf near its end',
      { notAfter: new Date('2026-06-30Z') },
      ['warning', 'expires-soon', 0, /in 29 days/, /renew it now/],
    ],
    ['a short RSA key', { keyKind: 'rsa1024' }, ['error', 'key-size', 0, /RSA 1024, below 2048/, /2048 bits or more/]],
    ['a small curve', { keyKind: 'p224' }, ['error', 'key-size', 0, /P-224/, /P-256/]],
    ['P-521', { keyKind: 'p521' }, ['error', 'key-kind', 0, /P-521/, /prime256v1/]],
    ['P-384', { keyKind: 'p384' }, ['warning', 'key-kind', 0, /SHA-256/, /nothing, or/]],
    ['Ed25519', { keyKind: 'ed25519' }, ['warning', 'key-kind', 0, /Rekor v2/, /nothing, or/]],
    [
      'a SHA-1 signature',
      { hash: 'sha1' },
      ['error', 'sound-signature', 0, /sha1-ecdsa, which can be forged/, /SHA-256/],
    ],
    [
      'a critical extension',
      { extensions: [extension('1.2.3.4', utf8('x'), true)] },
      ['error', 'critical-extension', 0, /1\.2\.3\.4/, /without marking it critical/],
    ],
  ];
  for (const [what, leaf, wanted] of leafCases) it(`finds ${what}`, () => finds(lintPki(makePki({ leaf })), wanted));

  const issuerCases: readonly (readonly [string, CertificateSpec, Wanted])[] = [
    ['no CA', { basicConstraints: { ca: false } }, ['error', 'issuer-is-ca', 1, /is no CA/, /CA:TRUE/]],
    [
      'no right to issue',
      { keyUsage: ['digitalSignature'] },
      ['error', 'key-usage', 1, /lacks keyCertSign/, /keyCertSign, cRLSign/],
    ],
    [
      'a narrower extended key usage',
      { extendedKeyUsage: [EKU.serverAuth] },
      ['error', 'code-signing-issuer', 1, /forbids code signing/, /codeSigning in it/],
    ],
    ['its end', EXPIRED, ['error', 'not-expired', 1, /expired/, /renew/]],
    ['a SHA-1 signature', { hash: 'sha1' }, ['error', 'sound-signature', 1, /sha1-ecdsa/, /SHA-256/]],
    ['a short RSA key', { keyKind: 'rsa1024' }, ['error', 'key-size', 1, /RSA 1024/, /2048/]],
  ];
  for (const [what, spec, wanted] of issuerCases) {
    it(`finds an issuer with ${what}`, () => finds(lintPki(makePki({ intermediates: [spec] })), wanted));
  }

  it('finds a path that is too long', () => {
    const pki = makePki({ intermediates: [{ basicConstraints: { ca: true, pathLength: 0 } }, {}] });
    finds(lintPki(pki), [
      'error',
      'path-length',
      2,
      /allows 0 CA certificates below it, and there are 1/,
      /larger pathlen/,
    ]);
  });

  it('does not mind how a root signed itself', () => finds(lintPki(makePki({ root: { hash: 'sha1' } }))));

  it('finds an issuer that is missing, and still looks at the leaf', () => {
    const { leaf, root } = makePki({ leaf: EXPIRED });
    finds(
      lint(leaf, [root]),
      ['error', 'chain-root', 0, /issued by "CN=Test Intermediate 1"/, /append/],
      ['error', 'not-expired', 0, /expired/, /renew/],
    );
  });

  it('finds a chain with strangers in it', () => {
    const { leaf, root, intermediate } = makePki();
    const stranger = makePki({ root: { subject: 'Stranger' } }).root;
    finds(lint(leaf, [root, intermediate, stranger]), ['warning', 'chain-unused', 0, /CN=Stranger/, /remove/]);
  });

  it('finds a self-signed certificate', () => {
    finds(lint(selfSigned({}), []), ['error', 'not-self-signed', 0, /self-signed/, /make a CA/]);
  });

  it('finds a key of another certificate, of the same kind and of another', () => {
    const { leaf, root, intermediate } = makePki();
    for (const key of [makeKey(), makeKey('rsa2048'), makeKey('ed25519')]) {
      finds(lint(leaf, [root, intermediate], key), ['error', 'key-matches', 0, /does not belong/, /openssl pkey/]);
    }
  });

  it('finds what only the whole path shows', () => {
    const excluded = nameConstraints({ excluded: [{ type: 'uri', value: 'attestry.test' }] });
    const findings = lintPki(makePki({ intermediates: [{ extensions: [excluded] }] }));
    finds(findings, ['error', 'path', 0, /is excluded by the name constraints/, /issued so that/]);
  });

  it('finds everything at once, leaf first', () => {
    const leaf: CertificateSpec = {
      ...EXPIRED,
      subjectAlternativeNames: null,
      extendedKeyUsage: null,
      keyKind: 'rsa1024',
    };
    const rules = lintPki(makePki({ leaf, intermediates: [EXPIRED] })).map(
      ({ rule, certificate }) => `${rule} ${certificate}`,
    );
    assert.deepEqual(rules, ['alternative-name 0', 'code-signing 0', 'not-expired 0', 'key-size 0', 'not-expired 1']);
  });

  it('has a test for every rule', () => assert.deepEqual([...reported].sort(), Object.keys(LINT_RULES).sort()));
});
