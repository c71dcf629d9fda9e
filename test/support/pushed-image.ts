import { buildImage, buildIndex, buildLayer } from '#cli/demo/image-writer.ts';
import { pushImage } from '#cli/demo/push-image.ts';
import type { Digest } from '#model/digest.ts';
import type { Target } from '#oci/target.ts';
import { debianItems } from './image.ts';
import { connect } from './registry-target.ts';

export interface PushedImage {
  readonly repository: string;
  readonly tag: string;
  /** What the tag names. */
  readonly digest: Digest;
  /** The platform images; for a single image the digest itself. */
  readonly platforms: readonly Digest[];
  /** `host/repository:tag`. */
  readonly reference: string;
}

export interface PushedImageSpec {
  readonly repository?: string;
  readonly tag?: string;
  /** An index of amd64 and arm64 instead of a single image. */
  readonly index?: boolean;
  /** Versions by package name; equal packages give an equal digest. */
  readonly packages?: Readonly<Record<string, string>>;
}

/** Pushes a small Debian image of its own to a registry that asks for no credentials. */
export async function pushTestImage(host: string, spec: PushedImageSpec = {}): Promise<PushedImage> {
  await using target = connect(new URL(`http://${host}/`));
  return pushTestImageTo(target, host, spec);
}

/** The same through a target that has its credentials. */
export async function pushTestImageTo(
  target: Pick<Target, 'pushBlob' | 'pushManifest'>,
  host: string,
  spec: PushedImageSpec = {},
): Promise<PushedImage> {
  const { repository = 'team/app', tag = '1.0', packages = { bash: '5.2', openssl: '3.0.15' } } = spec;
  const children = await Promise.all(
    (spec.index ? ['amd64', 'arm64'] : ['amd64']).map(async (architecture) =>
      buildImage({
        layers: [await buildLayer(debianItems(packages, architecture))],
        platform: { os: 'linux', architecture },
        created: '2026-01-02T03:04:05Z',
      }),
    ),
  );
  const [first] = children;
  if (!first) throw new Error('no image');
  const { digest } = await pushImage(target, repository, tag, spec.index ? buildIndex(children) : first);
  return {
    repository,
    tag,
    digest,
    platforms: children.map(({ root }) => root.descriptor.digest),
    reference: `${host}/${repository}:${tag}`,
  };
}
