import type { Descriptor } from '#model/descriptor.ts';
import { type Digest, digestHex, isDigest, sha256 } from '#model/digest.ts';
import {
  BUILDKIT_ATTESTATION_MANIFEST,
  BUILDKIT_PREDICATE_TYPE,
  BUILDKIT_REFERENCE_DIGEST,
  BUILDKIT_REFERENCE_TYPE,
  IN_TOTO,
  STATEMENT_V1,
  STATEMENT_V01,
} from '#model/media-types.ts';

/** Why a BuildKit statement cannot be believed to speak of its platform image; those of `tampering` never happen by mistake. */
export const BUILDKIT_DEFECTS = {
  'reference-missing': { tampering: false, meaning: 'The attestation manifest does not say which image it is about.' },
  'reference-outside-index': {
    tampering: true,
    meaning: 'The attestation manifest is about an image that this index does not list.',
  },
  'statement-too-large': { tampering: false, meaning: 'The statement is larger than what is read.' },
  'blob-missing': { tampering: false, meaning: 'The registry does not hold the statement.' },
  'blob-digest': { tampering: true, meaning: 'The bytes are not those that the attestation manifest lists.' },
  'statement-malformed': { tampering: false, meaning: 'The bytes are no in-toto statement.' },
  'subject-mismatch': { tampering: true, meaning: 'The statement is about another image.' },
  'predicate-type': { tampering: true, meaning: 'The statement is of another type than the manifest says.' },
} as const satisfies Record<string, { tampering: boolean; meaning: string }>;

export type BuildkitDefect = keyof typeof BUILDKIT_DEFECTS;

/** One statement that BuildKit left in the index: unsigned, so at best consistent with the index (interop E.4). */
export type BuildkitFinding = {
  /** Of the statement's blob, or of the attestation manifest when that one is at fault. */
  readonly digest: Digest;
  readonly predicateType?: string;
  readonly platformDigest?: Digest;
} & ({ readonly ok: true } | { readonly ok: false; readonly why: BuildkitDefect; readonly tampering: boolean });

export interface BuildkitInput {
  /** All descriptors of the index. */
  readonly children: readonly Descriptor[];
  /** The one of them that is looked at. */
  readonly attestation: Descriptor;
  /** The layers of its manifest. */
  readonly layers: readonly Descriptor[];
  /** Blobs of `buildkitStatements(layers)` by digest; one that the registry does not hold is left out. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

/** Bytes. An SPDX document of a large image is about ten. */
export const MAX_BUILDKIT_STATEMENT = 32 * 1024 * 1024;

/** The children of an index that hold BuildKit's attestations. */
export function isBuildkitAttestation(child: Descriptor): boolean {
  return child.annotations?.[BUILDKIT_REFERENCE_TYPE] === BUILDKIT_ATTESTATION_MANIFEST;
}

/** The layers of an attestation manifest that are statements and small enough to be fetched. */
export function buildkitStatements(layers: readonly Descriptor[]): readonly Descriptor[] {
  return layers.filter(({ mediaType, size }) => mediaType === IN_TOTO && size <= MAX_BUILDKIT_STATEMENT);
}

/** Checks each statement of one attestation manifest against the index (interop E.4, rules 1 and 2). Pure. */
export function checkBuildkitAttestation({ children, attestation, layers, blobs }: BuildkitInput): BuildkitFinding[] {
  const reference = attestation.annotations?.[BUILDKIT_REFERENCE_DIGEST];
  if (!isDigest(reference)) return [failed(attestation.digest, 'reference-missing', {})];
  const platform = children.find(({ digest }) => digest === reference);
  if (!platform || isBuildkitAttestation(platform)) {
    return [failed(attestation.digest, 'reference-outside-index', { platformDigest: reference })];
  }
  return layers
    .filter(({ mediaType }) => mediaType === IN_TOTO)
    .map((layer) => checkStatement(layer, reference, blobs.get(layer.digest)));
}

function checkStatement(layer: Descriptor, platformDigest: Digest, bytes: Uint8Array | undefined): BuildkitFinding {
  const announced = layer.annotations?.[BUILDKIT_PREDICATE_TYPE];
  const named = { platformDigest, ...(announced === undefined ? {} : { predicateType: announced }) };
  if (layer.size > MAX_BUILDKIT_STATEMENT) return failed(layer.digest, 'statement-too-large', named);
  if (!bytes) return failed(layer.digest, 'blob-missing', named);
  if (bytes.length !== layer.size || sha256(bytes) !== layer.digest) return failed(layer.digest, 'blob-digest', named);
  const statement = readStatement(bytes);
  if (!statement) return failed(layer.digest, 'statement-malformed', named);
  if (!statement.subjects.includes(digestHex(platformDigest))) return failed(layer.digest, 'subject-mismatch', named);
  if (announced !== undefined && announced !== statement.predicateType)
    return failed(layer.digest, 'predicate-type', named);
  return { digest: layer.digest, platformDigest, predicateType: statement.predicateType, ok: true };
}

function failed(
  digest: Digest,
  why: BuildkitDefect,
  named: { readonly platformDigest?: Digest; readonly predicateType?: string },
): BuildkitFinding {
  return { digest, ...named, ok: false, why, tampering: BUILDKIT_DEFECTS[why].tampering };
}

/** The members that are checked, or undefined when the bytes are no statement. */
function readStatement(bytes: Uint8Array): { predicateType: string; subjects: string[] } | undefined {
  const statement = parseObject(bytes);
  if (!statement || (statement._type !== STATEMENT_V1 && statement._type !== STATEMENT_V01)) return undefined;
  const { predicateType, subject } = statement;
  if (typeof predicateType !== 'string' || !Array.isArray(subject)) return undefined;
  const subjects = subject.flatMap((entry: unknown) => {
    const digest = isObject(entry) && isObject(entry.digest) ? entry.digest.sha256 : undefined;
    return typeof digest === 'string' ? [digest] : [];
  });
  return { predicateType, subjects };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
