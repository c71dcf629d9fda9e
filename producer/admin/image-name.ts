import { AppError } from '#model/errors.ts';
import { type ImageRef, parseImageRef, splitReference } from '#model/image-ref.ts';
import { type Refusal, refusal } from '#producer/admin/refusal.ts';

/** An image as an operator writes it, under the registry's configured name. The registry has to be written out. */
export function readImage(text: string, registryOf: (host: string) => string | undefined): ImageRef | Refusal {
  if (splitReference(text).registry === undefined) {
    return refusal(422, 'missing-host', '`image` names no registry; write registry/repository@sha256:…');
  }
  try {
    const image = parseImageRef(text);
    const registry = registryOf(image.registry);
    if (registry !== undefined) return { ...image, registry };
    return refusal(422, 'host-not-allowed', `the registry ${image.registry} is not configured`);
  } catch (error) {
    if (error instanceof AppError) return refusal(422, error.code, error.message);
    throw error;
  }
}
