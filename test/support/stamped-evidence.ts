import assert from 'node:assert/strict';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import type { TimestampAuthority } from '#crypto/timestamp-authority.ts';
import type { RawEvidence } from '#model/evidence.ts';
import { COSIGN_RFC3161 } from '#model/media-types.ts';
import { extension, makePki, type Pki } from './pki.ts';
import { type EvidenceSpec, signedEvidence } from './signed-evidence.ts';
import { timestampResponse } from './timestamp.ts';

/** A timestamp authority of the test's own, and how attestors name it. */
export interface Clock {
  readonly pki: Pki;
  readonly trust: TimestampAuthority;
}

export function makeClock(): Clock {
  // extKeyUsage of a timestamp authority: timeStamping alone, critical.
  const usage = extension('2.5.29.37', Buffer.from('300a06082b06010505070308', 'hex'), true);
  const leaf = { subject: 'Clock', extendedKeyUsage: null, extensions: [usage], subjectAlternativeNames: null };
  const pki = makePki({ intermediates: [], leaf });
  const [certificate] = parseCertificates(pki.leaf.pem);
  assert.ok(certificate);
  return { pki, trust: { certificate, intermediates: [], roots: parseCertificates(pki.root.pem) } };
}

/** Evidence of cosign's layout with a timestamp over its envelope. */
export function stampedEvidence(signer: Pki, clock: Clock, time: Date, spec?: EvidenceSpec): RawEvidence {
  const plain = signedEvidence(signer, spec);
  assert.ok(plain.bytes);
  const response = timestampResponse(plain.bytes, { signers: [clock.pki.leaf], time });
  const annotation = JSON.stringify({ SignedRFC3161Timestamp: response.toString('base64') });
  const annotations = { ...plain.descriptor.annotations, [COSIGN_RFC3161]: annotation };
  return { ...plain, descriptor: { ...plain.descriptor, annotations } };
}
