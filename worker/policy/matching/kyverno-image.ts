import type { ImageRef } from '#model/image-ref.ts';

const OFFICIAL = 'library/';

/**
 * The string that Kyverno matches patterns against (interop specification B.1): the registry and path, then the digest
 * if the reference has one (the tag is hidden by it), else the tag. Pods name Docker Hub's official images without
 * `library/`, and Kyverno inserts none.
 */
export function kyvernoImage(image: ImageRef): string {
  const official = image.registry === 'docker.io' && image.repository.startsWith(OFFICIAL);
  const path = official ? image.repository.slice(OFFICIAL.length) : image.repository;
  const name = `${image.registry}/${path}`;
  return image.digest === undefined ? `${name}:${image.tag ?? 'latest'}` : `${name}@${image.digest}`;
}

/**
 * True when a pattern of `imageReferences` or a `repository` names no registry, so that it speaks of Docker Hub or of
 * nothing at all. A wildcard in the first component may stand for a host.
 */
export function lacksHost(pattern: string): boolean {
  const slash = pattern.indexOf('/');
  const first = slash < 0 ? pattern : pattern.slice(0, slash);
  if (/[*?]/.test(first)) return slash < 0 && !/^[*?]/.test(first) && !/[.:]/.test(first);
  return slash < 0 || !(first === 'localhost' || /[.:]/.test(first));
}
