import type { PlatformImage, Subject } from '#model/subject.ts';

/** One platform image of a subject as a subject of its own. */
export function platformSubject(subject: Subject, platform: PlatformImage): Subject {
  const { descriptor } = platform;
  const { registry, repository } = subject.image;
  return {
    image: { registry, repository, digest: descriptor.digest },
    descriptor,
    kind: 'image',
    platforms: [platform],
    children: [],
  };
}
