import { oneLine } from '#events/bounded.ts';
import { cloudEvent, type EventContext } from '#events/cloud-event.ts';
import type { RemovedData } from '#events/event-data.ts';
import type { CloudEvent } from '#model/event.ts';
import type { Removal } from '#model/removal.ts';

/** An image lost a tag, or is gone. `image` is `registry/repository@digest`. */
export function imageRemoved(image: string, removal: Removal, context: EventContext): CloudEvent<RemovedData> {
  const { kind, tag, movedTo, at, learnedBy, source, actor } = removal;
  const data: RemovedData = {
    message: oneLine(wordRemoval(image, removal)),
    image,
    ...(tag === undefined ? {} : { tag }),
    ...(movedTo === undefined ? {} : { movedTo }),
    learnedBy,
    source,
    ...(actor === undefined ? {} : { actor: oneLine(actor) }),
  };
  const about = { subject: image, identity: [image, kind, tag ?? '', movedTo ?? '', at], time: at };
  return cloudEvent(`dev.attestry.image.${kind}.v1`, about, data, context);
}

function wordRemoval(image: string, { kind, tag, movedTo }: Removal): string {
  if (kind === 'deleted') return `${image} is not in the registry any more: it is watched no longer`;
  const now = movedTo === undefined ? 'is gone' : `names ${movedTo} now`;
  return `${image}: the tag ${tag} ${now}; the image is still there, and still watched`;
}
