import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Certificate } from '#crypto/certificate.ts';
import { describeKey, keyKind } from '#crypto/key-kind.ts';
import type { Finding, LintRule } from '#crypto/lint-rules.ts';
import { ANY_EXTENDED_KEY_USAGE, CODE_SIGNING } from '#crypto/path-rules.ts';

const NEW_KEY = 'make a key with: openssl ecparam -name prime256v1 -genkey -noout -out key.pem, and have it certified';

function finding(rule: LintRule, message: string, mend: string, level: Finding['level'] = 'error'): Finding {
  return { rule, level, message, mend, certificate: 0 };
}

/** What only a signing certificate must have (interop G.1, G.3). */
export function lintLeaf(leaf: Certificate, key: KeyObject | undefined): readonly Finding[] {
  return [...lintNames(leaf), ...lintUsages(leaf), ...lintSigningKey(leaf), ...(key ? lintKeyPair(leaf, key) : [])];
}

function lintNames({ subjectAlternativeNames: names }: Certificate): readonly Finding[] {
  const found: Finding[] = [];
  const mend = 'issue it again with the extension line: subjectAltName = URI:https://example.com/builder (or email:…)';
  if (!names.some(({ type, value }) => (type === 'uri' || type === 'email') && value !== '')) {
    const what =
      names.length === 0
        ? 'there is no subject alternative name'
        : 'no subject alternative name is a URI or e-mail address';
    found.push(finding('alternative-name', what, mend));
  }
  if (names.some(({ type, value }) => type !== 'other' && /\p{Cc}/u.test(value))) {
    found.push(finding('alternative-name', 'a subject alternative name holds a control character', mend));
  }
  return found;
}

function lintUsages(leaf: Certificate): readonly Finding[] {
  const found: Finding[] = [];
  const usages = leaf.extendedKeyUsage;
  if (!usages?.includes(CODE_SIGNING)) {
    const what = !usages
      ? 'there is no extended key usage'
      : usages.includes(ANY_EXTENDED_KEY_USAGE)
        ? 'extended key usage is anyExtendedKeyUsage, which does not count as code signing'
        : `extended key usage is ${usages.join(', ') || 'empty'}`;
    found.push(finding('code-signing', what, 'issue it again with the extension line: extendedKeyUsage = codeSigning'));
  }
  const line = 'issue it again with the extension line: keyUsage = critical, digitalSignature';
  if (!leaf.keyUsage) {
    found.push(finding('key-usage', 'there is no key usage', line, 'warning'));
  } else if (!leaf.keyUsage.includes('digitalSignature')) {
    found.push(finding('key-usage', `key usage (${leaf.keyUsage.join(', ') || 'empty'}) lacks digitalSignature`, line));
  }
  if (leaf.basicConstraints?.ca) {
    const mend = 'issue it again with the extension line: basicConstraints = critical, CA:FALSE';
    found.push(finding('leaf-not-ca', 'it is a CA certificate', mend));
  }
  return found;
}

/** The emit column of interop F.6: what a signature of this key will meet at its readers. */
function lintSigningKey(leaf: Certificate): readonly Finding[] {
  const kind = keyKind(leaf.publicKey);
  const name = describeKey(kind);
  switch (kind.type) {
    case 'rsa':
      return kind.bits > 4096
        ? [
            finding(
              'key-size',
              `the key is ${name}: verifiers are slow with it, and some refuse it`,
              NEW_KEY,
              'warning',
            ),
          ]
        : [];
    case 'ecdsa':
      if (kind.curve === 'P-521') {
        return [finding('key-kind', `the key is ${name}: sigstore's JavaScript verifiers refuse it`, NEW_KEY)];
      }
      return kind.curve === 'P-384'
        ? [
            finding(
              'key-kind',
              `the key is ${name}: signatures use SHA-256, the only digest that cosign and Kyverno try with certificates`,
              `nothing, or ${NEW_KEY}`,
              'warning',
            ),
          ]
        : [];
    case 'ed25519':
      return [
        finding(
          'key-kind',
          `the key is ${name}: cosign and Kyverno read it, Rekor v2 and FIPS environments do not`,
          `nothing, or ${NEW_KEY}`,
          'warning',
        ),
      ];
    case 'other':
      return [];
  }
}

function lintKeyPair(leaf: Certificate, key: KeyObject): readonly Finding[] {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  if (publicKey.equals(leaf.publicKey)) return [];
  return [
    finding(
      'key-matches',
      `the private key (${describeKey(keyKind(key))}) does not belong to the certificate (${describeKey(keyKind(leaf.publicKey))})`,
      'name the key that the certificate request was made with: openssl x509 -in CERT -noout -pubkey and openssl pkey -in KEY -pubout must print the same',
    ),
  ];
}
