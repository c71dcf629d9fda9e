import type { SettleOptions } from '#engine/decision.ts';
import type { EnginePorts, EvidenceWish } from '#engine/engine-ports.ts';
import { type RefusedImport, withImports } from '#engine/imports.ts';
import { promoteEvidence } from '#engine/promote.ts';
import { prepareLocation, type Settle, type SettledEvidence } from '#engine/settle.ts';
import { createStatementMaker, type MakerStep, type StepTime } from '#engine/statement-maker.ts';
import { placeWishes } from '#engine/wish-location.ts';
import type { Digest } from '#model/digest.ts';
import type { SignedFor } from '#model/evidence.ts';
import type { Subject } from '#model/subject.ts';

export interface AttestRequest {
  /** The resolved image, by the registry's configured name. */
  readonly subject: Subject;
  readonly wishes: readonly EvidenceWish[];
  readonly maySign: boolean;
  readonly mayRestore: boolean;
  /** See `SettleOptions`, as of the next. */
  readonly mayRenew?: SettleOptions['mayRenew'];
  readonly signedFor?: SignedFor | undefined;
  readonly force: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onStep?: ((step: MakerStep) => void) | undefined;
  /** Told as soon as evidence of the same image was copied: what follows may fail, and then it just stands. */
  readonly onCopied?: ((evidence: readonly SettledEvidence[]) => Promise<void>) | undefined;
}

export interface AttestReport {
  readonly subject: Subject;
  readonly evidence: readonly SettledEvidence[];
  /** Provenance of others that was found and is not taken over. */
  readonly refusedImports: readonly RefusedImport[];
  /** Packages found, by platform digest; empty when no SBOM was made. */
  readonly packages: ReadonlyMap<Digest, number>;
  readonly times: readonly StepTime[];
}

/**
 * Gives an image the evidence that its wishes name: look at each location, make and sign what is missing, and only when
 * all of it could be made, attach it in one PUT a location and read it back. What is there and holds is left alone; what
 * the same image has elsewhere is copied first, where its wishes say so.
 * @throws AppError of the rooms below; when something could not be made, nothing that was signed is attached.
 */
export async function attestImage(request: AttestRequest, ports: EnginePorts): Promise<AttestReport> {
  const { subject } = request;
  const { wishes, refused } = await withImports(subject, request.wishes, ports, request.signal);
  const maker = createStatementMaker(subject, ports, request);
  const prepared: Settle[] = [];
  for (const placed of placeWishes(subject, wishes, ports.registries)) {
    const copied = await promoteEvidence(placed, ports, { ...request, image: subject.image.digest });
    if (copied.length > 0) await request.onCopied?.(copied);
    const settle = await prepareLocation(placed, ports, { ...request, maker });
    prepared.push(async () => (await settle()).map((piece) => asCopied(piece, copied)));
  }
  const evidence: SettledEvidence[] = [];
  const attached: StepTime[] = [];
  for (const settle of prepared) {
    const began = ports.now().getTime();
    const settled = await settle();
    evidence.push(...settled);
    const [first] = settled;
    if (first) attached.push({ step: 'attached', what: first.location, ms: ports.now().getTime() - began });
  }
  const times = [...maker.times, ...attached];
  return { subject, evidence, refusedImports: refused, packages: maker.packages, times };
}

/** What stands because it was copied a moment ago. */
function asCopied(piece: SettledEvidence, copied: readonly SettledEvidence[]): SettledEvidence {
  const found = copied.find(({ location, digest }) => location === piece.location && digest === piece.digest);
  return piece.state === 'present' && found ? found : piece;
}
