import type { EnginePorts } from '#engine/engine-ports.ts';
import { verdictsKnowingRevocation } from '#engine/revocation.ts';
import type { Digest } from '#model/digest.ts';
import { type AppError, toAppError } from '#model/errors.ts';
import { type EvidenceLocation, locationKey } from '#model/evidence.ts';
import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { Verdict } from '#model/verdict.ts';
import type { ReadTarget } from '#oci/target.ts';
import type { CompiledPolicy, EvidenceKind, LocationContent } from '#policy/policy.ts';
import { readAttestationTag, readSignatureTag } from '#storage/attestation-tag-reader.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import { readListedBundles } from '#storage/listed-bundles.ts';

export interface VerifyRequest {
  /** The image as a pod names it: policies match this text, tag or digest as given. */
  readonly image: ImageRef;
  /** The digest to judge, where it is known already; a tag may have moved since. */
  readonly digest?: Digest;
  readonly policies: readonly CompiledPolicy[];
  /** Bytes of one legacy layer, as `COSIGN_MAX_ATTACHMENT_SIZE` bounds it for the tools. */
  readonly maxAttachmentBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface VerifyReport {
  /** The reference with its digest, by the registry's configured name. */
  readonly image: ImageRef;
  /** Absent when the image could not be resolved. */
  readonly digest?: Digest;
  readonly verdicts: readonly Verdict[];
  /** Why something could not be read; the verdicts say what that means. */
  readonly failures: readonly AppError[];
}

export type VerifyPorts = Pick<EnginePorts, 'registries' | 'now' | 'revocation'>;

/**
 * Judges an image under each policy: resolve once, fetch what the policies need, evaluate. What cannot be fetched
 * becomes the outcome `error` of the policies that need it, never an exception and never a pass.
 */
export async function verifyImage(request: VerifyRequest, ports: VerifyPorts): Promise<VerifyReport> {
  let image = request.image;
  let digest: Digest;
  try {
    image = { ...image, registry: ports.registries.nameOf(image.registry) };
    digest = await resolveDigest(image, request, ports);
  } catch (error) {
    const failure = toAppError(error);
    request.signal?.throwIfAborted();
    const verdicts = request.policies.map((policy) => unreachable(policy, image, failure));
    return { image, verdicts, failures: [failure] };
  }
  const contents = await fetchContents(image, digest, request, ports);
  const now = ports.now();
  const { maxAttachmentBytes } = request;
  const limit = maxAttachmentBytes === undefined ? {} : { maxAttachmentBytes };
  const content = (location: EvidenceLocation, kind?: EvidenceKind) => contentOf(contents, location, kind);
  const evaluate = () => request.policies.map((policy) => policy.evaluate({ image, digest, now, ...limit, content }));
  const verdicts = await verdictsKnowingRevocation(ports, evaluate, request.signal);
  const failures = [...contents.values()].flatMap((content) => (content.ok ? [] : [content.error]));
  return { image: { ...image, digest }, digest, verdicts, failures };
}

/** Asked of the registry even where the reference has a digest: evidence of an image that is gone proves nothing. */
async function resolveDigest(image: ImageRef, request: VerifyRequest, ports: VerifyPorts): Promise<Digest> {
  const target = ports.registries.target(image.registry);
  const reference = request.digest ?? image.digest ?? image.tag ?? 'latest';
  return (await target.resolve(image.repository, reference, request.signal)).digest;
}

async function fetchContents(
  image: ImageRef,
  digest: Digest,
  request: VerifyRequest,
  ports: VerifyPorts,
): Promise<ReadonlyMap<string, LocationContent>> {
  const wanted = new Map<string, { readonly location: EvidenceLocation; readonly kind: EvidenceKind }>();
  for (const policy of request.policies) {
    const { locations, signatures = [], bundles = [], listed = [] } = policy.needs(image, digest);
    for (const location of locations) wanted.set(contentKey(location), { location, kind: 'attestation' });
    for (const location of signatures) {
      wanted.set(contentKey(location, 'image-signature'), { location, kind: 'image-signature' });
    }
    for (const location of bundles) wanted.set(contentKey(location, 'bundle'), { location, kind: 'bundle' });
    for (const location of listed) {
      wanted.set(contentKey(location, 'listed-bundle'), { location, kind: 'listed-bundle' });
    }
  }
  const contents = new Map<string, LocationContent>();
  for (const [key, { location, kind }] of wanted) {
    contents.set(key, await fetchContent(location, kind, ports, request.signal));
  }
  return contents;
}

async function fetchContent(
  location: EvidenceLocation,
  kind: EvidenceKind,
  ports: VerifyPorts,
  signal?: AbortSignal,
): Promise<LocationContent> {
  try {
    const target = ports.registries.target(location.registry);
    return { ok: true, ...(await readEvidence(target, location, kind, signal)) };
  } catch (error) {
    signal?.throwIfAborted();
    return { ok: false, error: toAppError(error) };
  }
}

async function readEvidence(
  target: ReadTarget,
  location: EvidenceLocation,
  kind: EvidenceKind,
  signal?: AbortSignal,
): Promise<Pick<Extract<LocationContent, { ok: true }>, 'evidence' | 'listed' | 'artifact'>> {
  switch (kind) {
    case 'attestation':
      return { evidence: (await readAttestationTag(target, location, signal)).evidence };
    case 'image-signature':
      return { evidence: await readSignatureTag(target, location, signal) };
    case 'bundle':
      return { evidence: (await readBundles(target, location, signal)).evidence };
    case 'listed-bundle':
      return await readListedBundles(target, location, signal);
  }
}

function contentKey(location: EvidenceLocation, kind: EvidenceKind = 'attestation'): string {
  return `${kind} ${locationKey(location)}`;
}

function contentOf(
  contents: ReadonlyMap<string, LocationContent>,
  location: EvidenceLocation,
  kind?: EvidenceKind,
): LocationContent {
  const content = contents.get(contentKey(location, kind));
  if (content) return content;
  throw new Error(`evidence at ${locationKey(location)} was not announced by needs()`);
}

function unreachable(policy: CompiledPolicy, image: ImageRef, failure: AppError): Verdict {
  return {
    image: formatImageRef(image),
    policy: policy.identity,
    emulates: policy.emulates,
    mode: policy.emulates === 'attestry' ? 'strict' : 'compat',
    outcome: 'error',
    reasons: [
      {
        code: 'image-unreachable',
        message: `the image could not be resolved: ${failure.message}`,
        ...(failure.mend ? { next: failure.mend } : {}),
      },
    ],
  };
}
