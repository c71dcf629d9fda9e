import { readFileSync } from 'node:fs';
import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import type { EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { Outcome } from '#model/verdict.ts';
import type { EvaluationInput } from '#policy/policy.ts';

/** Certificates of the recorded cases are valid from 2020 to 2045, or expired in 2021. */
export const RECORDED_NOW = new Date('2026-06-01T00:00:00Z');
export const RECORDED_REGISTRY = 'registry.test:5000';

/** The evidence of one image, and what the tool said of it. */
export interface RecordedCase<Check> {
  readonly id: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest: Digest;
  readonly manifest?: Digest;
  readonly layers: readonly Descriptor[];
  readonly missing?: readonly Digest[];
  readonly checks: readonly Check[];
  readonly strict?: { readonly outcome: Outcome; readonly why: string };
}

export interface PolicyCheck {
  readonly policy: string;
  readonly outcome: Outcome;
}

export interface KeyCheck {
  readonly type: string;
  /** PEM. */
  readonly key: string;
  readonly outcome: Outcome;
}

export interface RecordedConditions {
  readonly id: string;
  /** The predicates of all valid statements of the type. */
  readonly predicates: readonly Record<string, unknown>[];
  readonly checks: readonly { readonly conditions: readonly object[]; readonly outcome: Outcome }[];
}

const FOLDER = new URL('../fixtures/verdicts/', import.meta.url);
const blobs = readJson<Record<string, string>>('blobs.json');

export function certificateChainCases(): readonly RecordedCase<PolicyCheck>[] {
  return readJson('certificate-chain.json');
}

export function publicKeyCases(): readonly RecordedCase<KeyCheck>[] {
  return readJson('public-key.json');
}

export function conditionCases(): readonly RecordedConditions[] {
  return readJson('conditions.json');
}

export function recordedPolicy(name: string): string {
  return readText(`policies/${name}`).replaceAll('REGISTRY', RECORDED_REGISTRY);
}

/** The image as the recorded pod named it. */
export function recordedImage({ repository, tag, digest }: RecordedCase<unknown>): ImageRef {
  return { registry: RECORDED_REGISTRY, repository, ...(tag === undefined ? { digest } : { tag }) };
}

/** The attestation tag beside the image, as the storage room reads it; nothing anywhere else. */
export function recordedInput(recorded: RecordedCase<unknown>): EvaluationInput {
  return {
    image: recordedImage(recorded),
    digest: recorded.digest,
    now: RECORDED_NOW,
    content: (location) => ({ ok: true, evidence: recordedEvidence(recorded, location) }),
  };
}

export function recordedEvidence(recorded: RecordedCase<unknown>, location: EvidenceLocation): readonly RawEvidence[] {
  const { manifest } = recorded;
  if (!manifest || location.repository !== recorded.repository || location.digest !== recorded.digest) return [];
  return recorded.layers.map((descriptor) => {
    const bytes = recorded.missing?.includes(descriptor.digest) ? undefined : blobs[descriptor.digest.slice(7)];
    return {
      location,
      layout: 'cosign-tag',
      manifestDigest: manifest,
      descriptor,
      ...(bytes === undefined ? {} : { bytes: Buffer.from(bytes, 'base64') }),
    };
  });
}

function readJson<Content>(name: string): Content {
  return JSON.parse(readText(name));
}

function readText(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}
