import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import { type PathResult, verifyPath } from '#crypto/path.ts';
import type { DefectCode } from '#model/evidence.ts';
import { utf8 } from '../../support/der.ts';
import {
  type CertificateSpec,
  caDefaults,
  EKU,
  extension,
  type Issued,
  issueFrom,
  makeKey,
  makePki,
  nameConstraints,
  type Pki,
  selfSigned,
} from '../../support/pki.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const EXPIRED: CertificateSpec = { notBefore: new Date('2020-01-01Z'), notAfter: new Date('2021-01-01Z') };

function judge(leaf: Issued, intermediates: readonly Issued[], anchors: readonly Issued[], at = NOW): PathResult {
  const read = (each: Issued) => parseCertificate(each.der);
  return verifyPath({
    leaf: read(leaf),
    intermediates: intermediates.map(read),
    anchors: anchors.map(read),
    at,
    profile: 'strict',
  });
}

function judgePki(pki: Pki, at = NOW): PathResult {
  return judge(pki.leaf, pki.intermediates, [pki.root], at);
}

function fails(result: PathResult, code: DefectCode, message: RegExp): void {
  assert.ok(!result.ok, 'it passed');
  assert.match(result.defect.message, message);
  assert.equal(result.defect.code, code);
}

describe('strict paths', () => {
  it('pass for a sound chain, with and without intermediates, whatever else is offered', () => {
    const pki = makePki({ intermediates: [{}, {}] });
    const result = judge(pki.leaf, [pki.root, ...pki.intermediates, pki.leaf, makePki().intermediate], [pki.root]);
    assert.ok(result.ok);
    assert.deepEqual(
      result.chain.map(({ subject }) => subject),
      ['CN=Test Signer', 'CN=Test Intermediate 2', 'CN=Test Intermediate 1', 'CN=Test Root'],
    );
    assert.ok(judgePki(makePki({ intermediates: [] })).ok);
  });

  it('end at an intermediate that is marked as an anchor', () => {
    const { leaf, intermediate } = makePki();
    assert.ok(judge(leaf, [], [intermediate]).ok);
  });

  it('are the same for every sound kind of key', () => {
    for (const kind of ['p384', 'p521', 'rsa2048', 'ed25519'] as const) {
      const key = makeKey(kind);
      assert.ok(judgePki(makePki({ root: { key }, intermediates: [], leaf: { key: makeKey(kind) } })).ok, kind);
    }
  });

  it('take an e-mail name as well as a URI', () => {
    const leaf: CertificateSpec = { subjectAlternativeNames: [{ type: 'email', value: 'ci@attestry.test' }] };
    assert.ok(judgePki(makePki({ leaf })).ok);
  });
});

describe('a strict leaf', () => {
  const cases: readonly (readonly [string, CertificateSpec, DefectCode, RegExp])[] = [
    ['has an extended key usage', { extendedKeyUsage: null }, 'certificate-profile', /codeSigning/],
    ['allows code signing', { extendedKeyUsage: [EKU.serverAuth] }, 'certificate-profile', /codeSigning/],
    ['allows it by name', { extendedKeyUsage: [EKU.any] }, 'certificate-profile', /codeSigning/],
    ['has a name', { subjectAlternativeNames: null }, 'certificate-profile', /neither a URI nor an e-mail/],
    [
      'has a name that is an identity',
      { subjectAlternativeNames: [{ type: 'dns', value: 'a.test' }] },
      'certificate-profile',
      /neither a URI/,
    ],
    [
      'has a name that is not empty',
      { subjectAlternativeNames: [{ type: 'email', value: '' }] },
      'certificate-profile',
      /neither a URI/,
    ],
    [
      'has no control characters in names',
      { subjectAlternativeNames: [{ type: 'email', value: 'a\0@b.test' }] },
      'certificate-profile',
      /control character/,
    ],
    ['is no CA', { basicConstraints: { ca: true } }, 'certificate-profile', /is a CA/],
    ['may sign', { keyUsage: ['keyEncipherment'] }, 'certificate-profile', /digitalSignature/],
    [
      'has no critical extension that is unknown',
      { extensions: [extension('1.2.3.4', utf8('x'), true)] },
      'certificate-profile',
      /1\.2\.3\.4/,
    ],
    ['has a serial number', { serial: Buffer.from([0]) }, 'certificate-profile', /serial/],
    ['has a strong RSA key', { keyKind: 'rsa1024' }, 'certificate-profile', /RSA 1024/],
    ['has a strong curve', { keyKind: 'p224' }, 'certificate-profile', /P-224/],
    ['has not expired', EXPIRED, 'certificate-expired', /only until 2021-01-01/],
    ['is valid already', { notBefore: new Date('2030-01-01Z') }, 'certificate-expired', /only from 2030-01-01/],
    ['is not signed with SHA-1', { hash: 'sha1' }, 'chain-untrusted', /sha1-ecdsa, which can be forged/],
  ];
  for (const [what, leaf, code, message] of cases) {
    it(what, () => fails(judgePki(makePki({ leaf })), code, message));
  }

  it('may lack the key usage', () => assert.ok(judgePki(makePki({ leaf: { keyUsage: null } })).ok));

  it('is not its own trust anchor', () => {
    const own = selfSigned({});
    fails(judge(own, [], [own]), 'chain-untrusted', /its own trust anchor/);
  });

  it('is valid to the second at both ends', () => {
    const pki = makePki({ leaf: { notBefore: new Date('2022-01-01Z'), notAfter: new Date('2023-01-01Z') } });
    assert.ok(judgePki(pki, new Date('2022-01-01T00:00:00Z')).ok);
    assert.ok(judgePki(pki, new Date('2023-01-01T00:00:00Z')).ok);
    fails(judgePki(pki, new Date('2023-01-01T00:00:01Z')), 'certificate-expired', /no longer valid/);
    fails(judgePki(pki, new Date('2021-12-31T23:59:59Z')), 'certificate-expired', /not yet valid/);
  });
});

describe('a strict issuer', () => {
  const cases: readonly (readonly [string, CertificateSpec, DefectCode, RegExp])[] = [
    ['is a CA', { basicConstraints: { ca: false } }, 'chain-untrusted', /certificate 1 .* is no CA/],
    ['says that it is a CA', { basicConstraints: null }, 'chain-untrusted', /is no CA/],
    ['may issue', { keyUsage: ['digitalSignature'] }, 'chain-untrusted', /keyCertSign/],
    [
      'lets code be signed',
      { extendedKeyUsage: [EKU.serverAuth] },
      'certificate-profile',
      /does not allow code signing/,
    ],
    ['has not expired', EXPIRED, 'certificate-expired', /certificate 1 .* only until/],
    [
      'has no critical extension that is unknown',
      { extensions: [extension('1.2.3.4', utf8('x'), true)] },
      'certificate-profile',
      /1\.2\.3\.4/,
    ],
    ['is not signed with SHA-1', { hash: 'sha1' }, 'chain-untrusted', /sha1-ecdsa/],
    ['has a strong key', { keyKind: 'rsa1024' }, 'certificate-profile', /RSA 1024/],
  ];
  for (const [what, spec, code, message] of cases) {
    it(what, () => fails(judgePki(makePki({ intermediates: [spec] })), code, message));
  }

  it('may allow any usage, and leave key usage out', () => {
    assert.ok(judgePki(makePki({ intermediates: [{ extendedKeyUsage: [EKU.any], keyUsage: null }] })).ok);
  });

  it('counts too when it is the anchor', () => {
    fails(judgePki(makePki({ root: EXPIRED })), 'certificate-expired', /certificate 2 .* only until/);
    fails(judgePki(makePki({ root: { basicConstraints: null } })), 'chain-untrusted', /is no CA/);
  });

  it('is not asked how it signed itself', () => assert.ok(judgePki(makePki({ root: { hash: 'sha1' } })).ok));

  it('limits the CA certificates below it, but not those that it issued to itself', () => {
    const narrow = { basicConstraints: { ca: true, pathLength: 0 } };
    fails(judgePki(makePki({ intermediates: [narrow, {}] })), 'chain-untrusted', /path length allows 0/);
    assert.ok(judgePki(makePki({ intermediates: [{ ...narrow, subject: 'Same' }, { subject: 'Same' }] })).ok);
    assert.ok(judgePki(makePki({ intermediates: [{ basicConstraints: { ca: true, pathLength: 1 } }, {}] })).ok);
  });

  it('limits the names below it', () => {
    const excluded = nameConstraints({ excluded: [{ type: 'uri', value: 'attestry.test' }] });
    const result = judgePki(makePki({ intermediates: [{ extensions: [excluded] }] }));
    fails(result, 'certificate-profile', /"https:\/\/attestry\.test\/builder" is excluded/);
  });
});

describe('trust', () => {
  it('never comes from what arrived with the evidence', () => {
    const { leaf, intermediates, root } = makePki();
    fails(judge(leaf, [...intermediates, root], []), 'chain-untrusted', /no trusted certificate/);
    fails(judge(leaf, [...intermediates, root], [makePki().root]), 'chain-untrusted', /was not made by the key/);
  });

  it('needs every issuer in between', () => {
    const { leaf, root } = makePki();
    fails(judge(leaf, [], [root]), 'chain-untrusted', /leads on from "CN=Test Intermediate 1"/);
  });

  it('is found past certificates of the same name, within a bound', () => {
    const { leaf, intermediate, root } = makePki();
    const other = makePki().root;
    const key = makeKey();
    const decoys = Array.from({ length: 120 }, () =>
      issueFrom(other, { subject: 'Test Intermediate 1', key, ...caDefaults() }),
    );
    assert.ok(judge(leaf, [...decoys.slice(0, 20), intermediate], [root]).ok);
    assert.ok(!judge(leaf, [...decoys, intermediate], [root]).ok);
  });

  it('does not go round in circles', () => {
    const [x, y] = [selfSigned({ subject: 'X', ...caDefaults() }), selfSigned({ subject: 'Y', ...caDefaults() })];
    const crossed = [
      issueFrom(y, { subject: 'X', key: x.key, ...caDefaults() }),
      issueFrom(x, { subject: 'Y', key: y.key, ...caDefaults() }),
    ];
    const leaf = issueFrom(x);
    fails(judge(leaf, crossed, [makePki().root]), 'chain-untrusted', /No trusted path/);
    assert.ok(judge(leaf, crossed, [y]).ok);
  });

  it('does not reach further than eleven certificates', () => {
    const depth = (count: number) => makePki({ intermediates: Array.from({ length: count }, () => ({})) });
    assert.ok(judgePki(depth(9)).ok);
    fails(judgePki(depth(10)), 'chain-untrusted', /longer than 11/);
  });
});
