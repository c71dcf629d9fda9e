import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Certificate } from '#crypto/certificate.ts';
import { pae, parseEnvelope, verifySignature } from '#crypto/dsse.ts';
import { parseCertificate } from '#crypto/parse-certificate.ts';
import { verifyPath } from '#crypto/path.ts';
import { AppError } from '#model/errors.ts';

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/certificates/${name}`, import.meta.url), 'utf8'));
}

function reader(table: Readonly<Record<string, string>>): (name: string) => Certificate {
  return (name) => parseCertificate(Buffer.from(table[name] ?? '', 'base64'));
}

interface GoFixture {
  certificates: Record<string, string>;
  cases: {
    id: string;
    leaf: string;
    intermediates: string[];
    anchors: string[];
    outcome: 'accepted' | 'refused' | 'malformed';
    chain?: string[];
  }[];
}

describe('compat paths judge as Go did', () => {
  const { certificates, cases } = fixture<GoFixture>('go-verify.json');
  const read = reader(certificates);

  function judge(each: GoFixture['cases'][number]): { outcome: string; chain?: string[] } {
    try {
      const leaf = read(each.leaf);
      const anchors = each.anchors.map(read);
      const intermediates = each.intermediates.map(read);
      const result = verifyPath({ leaf, anchors, intermediates, at: leaf.notBefore, profile: 'compat' });
      if (!result.ok) return { outcome: 'refused' };
      return { outcome: 'accepted', chain: result.chain.map(({ fingerprint }) => fingerprint.slice(0, 16)) };
    } catch (error) {
      assert.ok(error instanceof AppError && error.code === 'certificate-unreadable', String(error));
      return { outcome: 'malformed' };
    }
  }

  it('holds every recorded case', () => assert.equal(cases.length, 421));

  for (const each of cases) {
    it(each.id, () => {
      const { outcome, chain } = each;
      assert.deepEqual(judge(each), { outcome, ...(chain ? { chain } : {}) });
    });
  }
});

interface KyvernoFixture {
  certificates: Record<string, string>;
  envelopes: Record<string, string>;
  cases: {
    id: string;
    policy: string;
    certificate: string[];
    chain: string[];
    anchors: string[];
    envelope: string;
    refused: 'path' | 'expiry' | 'signature' | null;
  }[];
}

/** A day of the recording: what has expired did so in 2021, the rest lasts until 2045. */
const RECORDED_AT = new Date('2026-06-01T00:00:00Z');

describe('compat paths judge as Kyverno did', () => {
  const { certificates, envelopes, cases } = fixture<KyvernoFixture>('kyverno-paths.json');
  const read = reader(certificates);

  function judge(each: KyvernoFixture['cases'][number]): 'path' | 'expiry' | 'signature' | null {
    const leaf = read(each.certificate[0] ?? '');
    const intermediates = each.chain.slice(0, -1).map(read);
    const input = { leaf, anchors: each.anchors.map(read), intermediates, profile: 'compat' } as const;
    const result = verifyPath({ ...input, at: leaf.notBefore });
    if (!result.ok) return 'path';
    const parsed = parseEnvelope(Buffer.from(envelopes[each.envelope] ?? ''));
    assert.ok(parsed.ok);
    const { payloadType, payload, signatures } = parsed.envelope;
    const data = pae(payloadType, payload);
    if (!signatures.some(({ signature }) => verifySignature(leaf.publicKey, data, signature))) return 'signature';
    const expired = result.chain.some(({ notBefore, notAfter }) => RECORDED_AT < notBefore || RECORDED_AT > notAfter);
    return expired ? 'expiry' : null;
  }

  it('holds every recorded case', () => assert.equal(cases.length, 95));

  for (const each of cases) {
    it(`${each.id} under ${each.policy}`, () => assert.equal(judge(each), each.refused));
  }
});
