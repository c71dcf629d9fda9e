import type { RawEvidence } from '#model/evidence.ts';
import { presentBundle } from '#verification/present-bundle.ts';
import { presentLayer } from '#verification/present-layer.ts';
import type { Presented, Presenting } from '#verification/presented.ts';

/** Opens the bytes of a piece of evidence, and judges what witnessed its signature. */
export function present(raw: RawEvidence, bytes: Uint8Array, presenting: Presenting): Presented {
  switch (raw.layout) {
    case 'cosign-tag':
      return presentLayer(raw, bytes, presenting);
    case 'bundle':
      return presentBundle(bytes, presenting);
  }
}
