import type { ReadyStatement } from '#engine/ready-statement.ts';
import type { RevocationFetcher } from '#engine/revocation.ts';
import type { Digest } from '#model/digest.ts';
import type { EvidenceLayout } from '#model/evidence.ts';
import type { WrittenEvidenceStore } from '#model/ledger.ts';
import type { EvidenceLock, OwnPushes, SeenDigests } from '#model/ports.ts';
import type { EvidenceType, ImportRule, PromoteRule } from '#model/rule.ts';
import type { Registries } from '#oci/target.ts';
import type { ObserverBuilderId } from '#predicates/observer.ts';
import type { LayerFactsCache } from '#sbom/layer-facts-cache.ts';
import type { WalkLimits } from '#sbom/limits.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import type { Attestor } from '#verification/attestor.ts';

/** A signer of this installation, with those that it replaced. */
export interface SigningIdentity {
  readonly signer: ConfiguredSigner;
  /** Signers before it whose statements still are our own. */
  readonly former: readonly FormerSigner[];
  /** Who is believed where nothing else is configured; absent: its own chain or key, see `signerAttestor`. */
  readonly trust?: Attestor;
}

export interface FormerSigner {
  readonly fingerprint: string;
  /** PEM of its certificate or public key; without it only the record of what we wrote tells. */
  readonly pem?: string;
}

/** One piece of evidence that an image shall have: what, by whom, where, and who is believed. */
export interface EvidenceWish {
  readonly type: EvidenceType;
  readonly predicateType: string;
  readonly identity: SigningIdentity;
  readonly attestor: Attestor;
  /** `registry/path` that holds the evidence; absent: the image's own repository. */
  readonly repository?: string;
  /** Where it is stored; absent: at cosign's tag. */
  readonly layouts?: readonly EvidenceLayout[];
  /** Whether a first bundle may hide what others put at cosign's tags; absent: it may not. */
  readonly hiding?: 'refuse' | 'warn';
  /** For an index: also on each platform image. */
  readonly platforms: boolean;
  /** The rule that asks for it. */
  readonly rule: string;
  /** The statement that is wanted, where it is not made from the image. */
  readonly ready?: ReadyStatement;
  /** Where provenance of others is taken over from, in order. */
  readonly imports?: readonly ImportSource[];
  /** Whose evidence of the same image is copied instead of made anew. */
  readonly promote?: PromoteRule;
  /** Digests that need nothing of the kind: they have provenance of others. */
  readonly except?: ReadonlySet<Digest>;
}

export function layoutsOfWish({ layouts = ['cosign-tag'] }: EvidenceWish): readonly EvidenceLayout[] {
  return layouts;
}

/** One place that provenance of others is taken over from, and who signs it. */
export interface ImportSource {
  readonly from: ImportRule['from'];
  readonly identity: SigningIdentity;
  /** Under whom it must hold; absent for BuildKit's, which nobody signed. */
  readonly trust?: Attestor;
}

/** What the engine needs of the outside; the worker gives Redis behind it, the command line does without. */
export interface EnginePorts {
  readonly registries: Registries;
  readonly lock: EvidenceLock;
  readonly ownPushes: OwnPushes;
  readonly written: WrittenEvidenceStore;
  readonly layerFacts: LayerFactsCache;
  readonly walkLimits: WalkLimits;
  /** `builder.id` of the provenance that this installation observes. */
  readonly builderId: ObserverBuilderId;
  /** Absent: nobody keeps where digests were seen. */
  readonly seen?: SeenDigests;
  /** Absent: no trust asks whether certificates were revoked. */
  readonly revocation?: RevocationFetcher;
  now(): Date;
}
