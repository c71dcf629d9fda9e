import { OCI_MANIFEST } from '#model/media-types.ts';
import { jsonSample, type Sample, type SampleFacts } from '#producer/webhooks/guide.ts';

/** An envelope with one pushed manifest, as Distribution and its forks write it. */
export function envelopeSample({ image, id, at }: SampleFacts): Sample {
  const { registry, repository, tag, digest } = image;
  const event = {
    id,
    timestamp: at.toISOString(),
    action: 'push',
    target: {
      mediaType: OCI_MANIFEST,
      digest,
      size: 1570,
      length: 1570,
      repository,
      url: `https://${registry}/v2/${repository}/manifests/${digest}`,
      tag,
    },
    request: { id, addr: '192.0.2.10:42961', host: registry, method: 'PUT', useragent: 'attestry-trial' },
    actor: { name: 'attestry-trial' },
    source: { addr: 'registry:5000', instanceID: id },
  };
  return jsonSample({ events: [event] }, { 'content-type': 'application/vnd.docker.distribution.events.v2+json' });
}
