import { noOwnPushes, processLock, processWrittenStore } from '#cli/local-engine.ts';
import { type AttestReport, type AttestRequest, attestImage } from '#engine/attest.ts';
import type { EnginePorts, EvidenceWish, SigningIdentity } from '#engine/engine-ports.ts';
import { resolveSubject } from '#engine/resolve.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { isDigest } from '#model/digest.ts';
import { DEFAULT_PREDICATE_TYPES, type EvidenceType } from '#model/rule.ts';
import type { Registries, Target } from '#oci/target.ts';
import { DEFAULT_BUILDER_ID } from '#predicates/observer.ts';
import { createMemoryLayerFactsCache } from '#sbom/layer-facts-cache.ts';
import { DEFAULT_WALK_LIMITS } from '#sbom/limits.ts';
import type { ConfiguredSigner, FixedSigner } from '#signing/signer.ts';
import { createX509Signer } from '#signing/x509.ts';
import type { Pki } from './pki.ts';

/** How references and statements call the registry of an engine test, wherever it is dialled. */
export const REGISTRY = 'registry.test';
/** When engine tests happen: within the validity of `makePki`. */
export const NOW = new Date('2026-06-01T12:00:00Z');

/** A registry under the name `REGISTRY`. */
export function oneRegistry(target: Target): Registries {
  return { nameOf: (host) => host, target: () => target, close: async () => {} };
}

/** What the command line gives the engine: nothing outlives the test, and there is no Redis. */
export function enginePorts(target: Target, more: Partial<EnginePorts> = {}): EnginePorts {
  return {
    registries: oneRegistry(target),
    lock: processLock(),
    ownPushes: noOwnPushes,
    written: processWrittenStore(),
    layerFacts: createMemoryLayerFactsCache(8 * 1024 * 1024),
    walkLimits: DEFAULT_WALK_LIMITS,
    builderId: DEFAULT_BUILDER_ID,
    now: () => NOW,
    ...more,
  };
}

/** A linted signer with the leaf of this CA. */
export function signerOf({ leaf, chainPem }: Pki, id = 'signer', now = NOW): FixedSigner {
  return createX509Signer({ id, keyPem: leaf.keyPem, certificatePem: leaf.pem, chainPem, now });
}

export interface WishSettings extends Partial<Omit<EvidenceWish, 'identity' | 'type'>> {
  readonly signer: ConfiguredSigner;
  readonly former?: SigningIdentity['former'];
}

/** A wish with the defaults of a rule. */
export function wishOf(type: EvidenceType, { signer, former = [], ...more }: WishSettings): EvidenceWish {
  return {
    type,
    predicateType: DEFAULT_PREDICATE_TYPES[type],
    identity: { signer, former },
    attestor: signerAttestor(signer),
    platforms: type === 'cyclonedx',
    rule: 'test',
    ...more,
  };
}

/** SBOM and provenance by one signer. */
export function bothWishes(settings: WishSettings): readonly EvidenceWish[] {
  return [wishOf('cyclonedx', settings), wishOf('slsaprovenance1', settings)];
}

/** Resolves a tag or digest and attests it, as `attestry attest` does. */
export async function attest(
  ports: EnginePorts,
  repository: string,
  reference: string,
  wishes: readonly EvidenceWish[],
  more: Partial<Omit<AttestRequest, 'subject' | 'wishes'>> = {},
): Promise<AttestReport> {
  const named = isDigest(reference) ? { digest: reference } : { tag: reference };
  const image = { registry: REGISTRY, repository, ...named };
  const subject = await resolveSubject(ports.registries.target(REGISTRY), image);
  return attestImage({ subject, wishes, maySign: true, mayRestore: true, force: false, ...more }, ports);
}

/** `type state` of each piece, in order. */
export function statesOf({ evidence }: AttestReport): readonly string[] {
  return evidence.map(({ type, state }) => `${type} ${state}`);
}
