import { readBuildkitFindings } from '#engine/buildkit-findings.ts';
import { type EnginePorts, layoutsOfWish } from '#engine/engine-ports.ts';
import { bomInput, createInventoryTaker } from '#engine/make-sbom.ts';
import { platformSubject } from '#engine/part.ts';
import { checkedPayload } from '#engine/ready-statement.ts';
import { signedBefore } from '#engine/signed-before.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { EvidenceLayout, RawEvidence } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import type { SignedImage } from '#model/signed-image.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import type { Subject } from '#model/subject.ts';
import { imageSignatureStatement, SIGNATURE_ANNOTATIONS } from '#predicates/image-signature.ts';
import { provenanceStatement, sbomStatement } from '#predicates/own-statement.ts';
import { renderCycloneDx } from '#sbom/cyclonedx.ts';
import { renderSpdx } from '#sbom/spdx.ts';
import { publishAgain } from '#signing/publish-again.ts';
import { signImage } from '#signing/sign-image.ts';
import { signStatement } from '#signing/sign-statement.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';

/** What making evidence reports on the way. */
export type MakerStep =
  | { readonly step: 'layer'; readonly layer: number; readonly layers: number; readonly size: number }
  | {
      readonly step: 'inventory';
      readonly platform: Digest;
      readonly packages: number;
      readonly gaps: readonly string[];
    }
  | { readonly step: 'signed'; readonly type: string; readonly subject: Digest; readonly fingerprint: string };

/** How long one piece of the work took, milliseconds. Making an SBOM includes the inventories that it was first to need. */
export interface StepTime {
  readonly step: 'made' | 'attached';
  /** Of `made`: predicateType and subject digest; of `attached`: the location. */
  readonly what: string;
  readonly ms: number;
}

/** How `StepTime` names a statement. */
export function statementName(predicateType: string, subject: Digest): string {
  return `${predicateType} ${subject}`;
}

export interface StatementMaker {
  /** One signature for all layouts of the wish. */
  make(placed: PlacedWish): Promise<SignedStatement>;
  /** The image signature of cosign's tag; a bundle holds a statement. */
  signImage(placed: PlacedWish): Promise<SignedImage>;
  /** What was signed before and stands in another layout, for this one. */
  publishAgain(placed: PlacedWish, source: RawEvidence, layout: EvidenceLayout): Promise<SignedStatement>;
  /** Packages found, by platform digest; grows as SBOMs are made. */
  readonly packages: ReadonlyMap<Digest, number>;
  /** One entry for each statement that was made. */
  readonly times: readonly StepTime[];
}

export interface MakerOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((step: MakerStep) => void) | undefined;
}

/**
 * Makes and signs statements about one subject. Each inventory is taken once and each statement signed once, however
 * often it is asked for: a write that is tried again must carry the same bytes.
 */
export function createStatementMaker(subject: Subject, ports: EnginePorts, options: MakerOptions): StatementMaker {
  const { signal, onStep } = options;
  const packages = new Map<Digest, number>();
  const times: StepTime[] = [];
  const source = ports.registries.target(subject.image.registry);
  const inventories = createInventoryTaker({
    source,
    repository: subject.image.repository,
    cache: ports.layerFacts,
    limits: ports.walkLimits,
    signal,
    onProgress: ({ layer, layers, size }) => onStep?.({ step: 'layer', layer, layers, size }),
    onTaken: (platform, count, gaps) => {
      packages.set(platform, count);
      onStep?.({ step: 'inventory', platform, packages: count, gaps });
    },
  });

  async function payloadOf({ wish, platform, location }: PlacedWish): Promise<Uint8Array> {
    if (wish.ready) return checkedPayload(wish.ready, location.digest, wish.predicateType);
    const part = platform && subject.kind === 'index' ? platformSubject(subject, platform) : subject;
    const { predicateType } = wish;
    switch (wish.type) {
      case 'cyclonedx':
      case 'spdxjson': {
        const input = await bomInput(part, predicateType, inventories);
        const bom = wish.type === 'cyclonedx' ? renderCycloneDx(input) : renderSpdx(input);
        return sbomStatement({ repository: part.image, digest: part.image.digest, predicateType, bom });
      }
      case 'slsaprovenance1': {
        const buildkit = await readBuildkitFindings(source, part, signal);
        return provenanceStatement({ subject: part, buildkit, builderId: ports.builderId }, predicateType);
      }
      case 'signature':
        return imageSignatureStatement(part.image.digest);
      case 'vsa':
      case 'vuln':
      case 'vulns':
      case 'test-result':
      case 'openvex':
      case 'link':
      case 'custom':
        throw new AppError('internal', `a statement of type ${wish.type} is not made from the image`);
    }
  }

  async function make(placed: PlacedWish): Promise<SignedStatement> {
    const { wish } = placed;
    const layouts = wish.type === 'signature' ? (['bundle'] as const) : layoutsOfWish(wish);
    return await timed(placed, async () => {
      const payload = await payloadOf(placed);
      return await signStatement(wish.identity.signer, payload, wish.predicateType, { layouts, signal });
    });
  }

  async function makeImageSignature(placed: PlacedWish): Promise<SignedImage> {
    const { wish, location } = placed;
    const claim = {
      repository: formatRepositoryRef(subject.image),
      digest: location.digest,
      annotations: SIGNATURE_ANNOTATIONS,
    };
    return await timed(placed, () => signImage(wish.identity.signer, claim, { signal }));
  }

  async function publish(placed: PlacedWish, source: RawEvidence, layout: EvidenceLayout): Promise<SignedStatement> {
    const found = signedBefore(source, placed);
    if (!found) throw new AppError('internal', `${source.descriptor.digest} cannot be published again`);
    const { signer, before } = found;
    return await publishAgain(signer, placed.wish.predicateType, before, { layouts: [layout], signal });
  }

  async function timed<Signed extends { readonly fingerprint: string }>(
    { wish, location }: PlacedWish,
    work: () => Promise<Signed>,
  ): Promise<Signed> {
    // Before the layers are walked for it: nobody would believe what such a certificate signs.
    refuseExpired(wish.identity.signer, ports.now());
    const began = ports.now().getTime();
    const made = await work();
    const { digest } = location;
    const ms = ports.now().getTime() - began;
    times.push({ step: 'made', what: statementName(wish.predicateType, digest), ms });
    onStep?.({ step: 'signed', type: wish.type, subject: digest, fingerprint: made.fingerprint });
    return made;
  }

  const statements = new Map<string, Promise<SignedStatement>>();
  const images = new Map<string, Promise<SignedImage>>();
  const published = new Map<string, Promise<SignedStatement>>();
  return {
    packages,
    times,
    make: (placed) => once(statements, wishKey(placed), () => make(placed)),
    signImage: (placed) => once(images, wishKey(placed), () => makeImageSignature(placed)),
    publishAgain: (placed, source, layout) => {
      const key = [wishKey(placed), source.descriptor.digest, layout].join('\n');
      return once(published, key, () => publish(placed, source, layout));
    },
  };
}

function wishKey({ wish, location }: PlacedWish): string {
  const what = [wish.predicateType, wish.identity.signer.fingerprint, location.digest, wish.ready?.digest ?? ''];
  return [...what, ...layoutsOfWish(wish)].join('\n');
}

function once<Made>(memo: Map<string, Promise<Made>>, key: string, make: () => Promise<Made>): Promise<Made> {
  const known = memo.get(key);
  if (known) return known;
  const made = make();
  memo.set(key, made);
  return made;
}

/** It was linted at the start; a worker may outlive it. */
function refuseExpired(signer: ConfiguredSigner, now: Date): void {
  // A keyless signer has none that stays.
  if (signer.kind === 'keyless') return;
  const { id, chain } = signer;
  const over = chain.find(({ notAfter }) => notAfter < now);
  if (!over) return;
  const message = `signer ${id}: the certificate "${over.subject}" ended on ${over.notAfter.toISOString()}`;
  const mend = 'renew it, name the old one under `former`, restart the worker and replay the dead letters';
  throw new AppError('certificate-refused', message, { field: `signers.${id}`, mend });
}
