import { EXIT } from '#cli/command.ts';
import type { AttestReport } from '#engine/attest.ts';
import type { SettledEvidence } from '#engine/settle.ts';
import { formatImageRef } from '#model/image-ref.ts';

/** What `attest --json` prints: one entry a place, so that evidence in both layouts is told twice. */
export function attestJson({ subject, evidence }: AttestReport): string {
  const attestations = evidence.map((piece) => {
    const { type, predicateType, subject: about, layout, location, digest, state, hiding, hides, left } = piece;
    return { type, predicateType, subject: about, layout, location, digest, state, hiding, hides, left };
  });
  const { image } = subject;
  return `${JSON.stringify({ image: formatImageRef(image), digest: image.digest, attestations }, null, 2)}\n`;
}

export function attestText(evidence: readonly SettledEvidence[]): string {
  return evidence
    .map(({ state, type, location, digest }) => `${state}\t${type}\t${location}\t${digest ?? '-'}\n`)
    .join('');
}

/** What of it a person must know beside the lines. */
export function attestNotes(evidence: readonly SettledEvidence[]): readonly string[] {
  const refused = new Set(evidence.flatMap(({ hiding }) => (hiding === undefined ? [] : [hiding])));
  const hidden = new Set(evidence.flatMap(({ hides = [] }) => hides));
  const left = evidence.flatMap((piece) => piece.left ?? []);
  return [
    ...[...refused].map(
      (why) => `not attached as a bundle: ${why}; --hiding warn attaches it, --layout cosign-tag asks for none`,
    ),
    ...(hidden.size > 0 ? [`cosign 3 and ImageValidatingPolicy see no more: ${[...hidden].join(', ')}`] : []),
    ...(left.length > 0 ? [`the registry does not delete what was replaced: ${left.join(', ')}`] : []),
  ];
}

/** A bundle that was asked for and refused was not attached; one that nobody asked for is a note. */
export function attestExit(evidence: readonly SettledEvidence[], asked: boolean): number {
  return asked && evidence.some(({ hiding }) => hiding !== undefined) ? EXIT.error : EXIT.ok;
}
