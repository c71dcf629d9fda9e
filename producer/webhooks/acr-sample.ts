import { OCI_MANIFEST } from '#model/media-types.ts';
import type { SampleFacts } from '#producer/webhooks/guide.ts';

/** What Azure's webhook sends, and Event Grid carries as `data`. */
export function acrSample({ image, id, at }: SampleFacts): object {
  const { registry, repository, tag, digest } = image;
  return {
    id,
    timestamp: at.toISOString(),
    action: 'push',
    target: { mediaType: OCI_MANIFEST, size: 1570, digest, length: 1570, repository, tag },
    request: { id, host: registry, method: 'PUT', useragent: 'attestry-trial' },
  };
}

/** Name of the registry's resource: the first label of its host. */
export function acrName(registry: string | undefined): string {
  return registry?.split('.', 1)[0] ?? 'example';
}
