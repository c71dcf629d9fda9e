import { isOwn, type PresentSigners } from '#engine/ownership.ts';
import { evidenceAt, type PlaceContent, placeFor } from '#engine/places.ts';
import type { Slot } from '#engine/slot.ts';
import type { RawEvidence, WrittenEvidence } from '#model/evidence.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { parseBundle } from '#verification/bundle.ts';

/**
 * Whether an image has a bundle that verifiers parse: from then on those that prefer bundles look at nothing else
 * (interop 0.1, 2).
 */
export function holdsBundle({ bundles }: PlaceContent): boolean {
  return bundles?.evidence.some(({ bytes }) => bytes !== undefined && parseBundle(bytes, 'compat').ok) ?? false;
}

/**
 * What a first bundle would hide: everything at cosign's tags but evidence of ours that becomes a bundle itself. A layer
 * whose blob is gone is evidence to nobody.
 */
export function hiddenEvidence(
  slots: readonly Slot[],
  context: {
    readonly content: PlaceContent;
    readonly written: readonly WrittenEvidence[];
    readonly present: PresentSigners;
  },
): readonly RawEvidence[] {
  const { content, written, present } = context;
  const bundled = slots.filter(({ layout }) => layout === 'bundle').map(({ placed }) => placed.wish);
  if (bundled.length === 0 || holdsBundle(content)) return [];
  return (['attestations', 'signatures'] as const).flatMap((place) => {
    const coming = bundled.filter(({ type }) => placeFor(type, 'cosign-tag') === place);
    return evidenceAt(content, place).filter(
      (raw) => raw.bytes !== undefined && !coming.some((wish) => isOwn(raw, wish, written, present)),
    );
  });
}

/** Why the bundle is not attached, in words. */
export function hidingReason(hidden: readonly RawEvidence[]): string {
  const [first, ...more] = hidden;
  if (!first) return '';
  const others = more.length === 0 ? '' : ` and ${more.length} more`;
  return `a first bundle would hide ${nameOf(first)}${others} at cosign's tags from cosign 3 and ImageValidatingPolicy`;
}

/** How events name what is hidden: `registry/repository@digest` of each layer. */
export function hiddenNames(hidden: readonly RawEvidence[]): readonly string[] {
  return [...new Set(hidden.map(nameOf))];
}

function nameOf({ location, descriptor }: RawEvidence): string {
  return `${formatRepositoryRef(location)}@${descriptor.digest}`;
}
