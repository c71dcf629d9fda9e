import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { IN_TOTO } from '#model/media-types.ts';
import type { Subject } from '#model/subject.ts';
import { parseManifest } from '#oci/manifest.ts';
import type { ReadTarget } from '#oci/target.ts';
import {
  type BuildkitFinding,
  buildkitStatements,
  checkBuildkitAttestation,
  isBuildkitAttestation,
  MAX_BUILDKIT_STATEMENT,
} from '#predicates/buildkit.ts';
import { readBlob } from '#storage/read-blob.ts';

/** Real indexes hold one attestation manifest a platform. */
const MAX_ATTESTATIONS = 100;
/** Statements of one attestation manifest: BuildKit writes an SBOM or two and a provenance. */
const MAX_STATEMENTS = 20;

const UNREADABLE: readonly string[] = ['manifest-malformed', 'media-type-unsupported', 'too-large'];

/** Shown each statement with its bytes, one at a time: what is kept of them is up to who looks. */
export type VisitStatement = (finding: BuildkitFinding, bytes: Uint8Array) => void;

/**
 * Reads and checks the statements that BuildKit left in the index. They are unsigned: they are named by digest in our
 * provenance with the result of the check, never signed as our own.
 */
export async function readBuildkitFindings(
  source: ReadTarget,
  subject: Subject,
  signal?: AbortSignal,
  visit?: VisitStatement,
): Promise<readonly BuildkitFinding[]> {
  const findings: BuildkitFinding[] = [];
  const attestations = subject.children.filter(isBuildkitAttestation);
  for (const attestation of attestations.slice(0, MAX_ATTESTATIONS)) {
    findings.push(...(await attestationFindings(source, subject, attestation, signal, visit)));
  }
  return findings;
}

async function attestationFindings(
  source: ReadTarget,
  subject: Subject,
  attestation: Descriptor,
  signal?: AbortSignal,
  visit?: VisitStatement,
): Promise<readonly BuildkitFinding[]> {
  const layers = await attestationLayers(source, subject, attestation, signal);
  if (typeof layers === 'string') return [{ digest: attestation.digest, ok: false, why: layers, tampering: false }];
  const { children } = subject;
  const about = checkBuildkitAttestation({ children, attestation, layers: [], blobs: new Map() });
  if (about.length > 0) return about;
  const findings: BuildkitFinding[] = [];
  // One at a time: each may be large, and whoever may push says how many there are.
  for (const layer of layers.filter(({ mediaType }) => mediaType === IN_TOTO).slice(0, MAX_STATEMENTS)) {
    const blobs = await fetchStatements(source, subject, [layer], signal);
    const checked = checkBuildkitAttestation({ children, attestation, layers: [layer], blobs });
    findings.push(...checked);
    const bytes = blobs.get(layer.digest);
    if (bytes) for (const finding of checked) visit?.(finding, bytes);
  }
  return findings;
}

/** The layers of an attestation manifest, or why it cannot be read as one. */
async function attestationLayers(
  source: ReadTarget,
  subject: Subject,
  attestation: Descriptor,
  signal?: AbortSignal,
): Promise<readonly Descriptor[] | 'blob-missing' | 'statement-malformed'> {
  try {
    const manifest = parseManifest(await source.manifest(subject.image.repository, attestation.digest, signal));
    return manifest.kind === 'manifest' ? manifest.layers : 'statement-malformed';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'not-found') return 'blob-missing';
    if (UNREADABLE.includes(error.code)) return 'statement-malformed';
    throw error;
  }
}

async function fetchStatements(
  source: ReadTarget,
  subject: Subject,
  layers: readonly Descriptor[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const blobs = new Map<Digest, Uint8Array>();
  for (const layer of buildkitStatements(layers)) {
    try {
      const bytes = await readBlob(source, subject.image.repository, layer, MAX_BUILDKIT_STATEMENT, signal);
      blobs.set(layer.digest, bytes);
    } catch (error) {
      // What the registry does not hold, or holds wrongly, is a finding, not a failure of ours.
      if (!(error instanceof AppError) || !['not-found', 'digest-mismatch', 'layer-corrupt'].includes(error.code)) {
        throw error;
      }
    }
  }
  return blobs;
}
