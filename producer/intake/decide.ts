import type { Digest } from '#model/digest.ts';
import { isDigest } from '#model/digest.ts';
import { type ImageRef, isRepository, isTag } from '#model/image-ref.ts';
import { deduplicationId } from '#model/job.ts';
import { IMAGE_CONFIGS, IMAGE_INDEXES } from '#model/media-types.ts';
import { type PushEvent, SKIP_REASONS, type SkipReason } from '#model/push-event.ts';
import type { PushedEvidence } from '#producer/intake/ports.ts';
import { pushedEvidence } from '#producer/intake/pushed-evidence.ts';
import { shown } from '#producer/intake/shown.ts';
import type { DeliveryItem, SkippedItem } from '#producer/webhooks/adapter.ts';

/** What a source may speak for, and how its pushes are judged. */
export interface Binding {
  /** The configured name of a registry by any host that means it; undefined when it is not bound to the source. */
  readonly registryOf: (host: string) => string | undefined;
  /** The registry that is meant when an item names none; absent when each must name its own. */
  readonly registry?: string;
  /** Repositories by the names that payloads have for them; absent where they are the same. */
  readonly repositories?: Readonly<Record<string, string>>;
  readonly digestOnly: 'skip' | 'enqueue';
  readonly isAttestationTag: (tag: string) => boolean;
  /** Pushes of these actors count as our own: an extra that is off unless configured. */
  readonly isIgnoredActor: (actor: string) => boolean;
}

/** What must be asked of Redis before an item can be judged to its end. */
export interface Facts {
  readonly ownPush: (repository: string, digest: Digest) => boolean;
  readonly seen: (deliveryKey: string) => boolean;
}

export type Skip = SkippedItem & { readonly message: string };

/** An item whose names are sound, by the registry's configured name. */
export interface Candidate {
  readonly from: string;
  readonly image: ImageRef;
  readonly event: PushEvent;
  /** One job for one digest in one repository: what makes two items the same. */
  readonly imageKey: string;
  /** What a redelivery of this very item would have again; absent when the sender numbers nothing. */
  readonly deliveryKey?: string;
}

export type Decision =
  | { readonly enqueue: Candidate }
  /** `again`: the same image once more in this request, announced in another way. */
  | { readonly skipped: Skip; readonly again: Candidate }
  /** `evidence`: nothing to attest, but evidence of ours or of others may have been lost by it. */
  | { readonly skipped: Skip; readonly evidence?: PushedEvidence }
  /** `removed`: nothing to attest, but the registry is to be asked whether this is still there. */
  | { readonly skipped: Skip; readonly removed: RemovedImage };

/** What an event says was removed, by the registry's configured name. */
export interface RemovedImage {
  readonly image: ImageRef;
  readonly actor?: string;
}

/**
 * The verdict on each item: enqueued, or skipped for exactly one reason, the first that applies in the order of
 * `SKIP_REASONS`. One bad member never costs another one.
 */
export function decide(items: readonly DeliveryItem[], binding: Binding, facts: Facts): readonly Decision[] {
  return settle(
    items.map((item) => candidate(item, binding)),
    binding,
    facts,
  );
}

/** The first half, which needs nothing from outside: the host and the grammar. */
export function candidate(item: DeliveryItem, binding: Binding): Candidate | Skip {
  if ('skip' in item) return { ...item, message: item.message ?? SKIP_REASONS[item.skip] };
  const { from, event } = item;
  const registries = event.hosts.map((host) => binding.registryOf(host));
  const strange = event.hosts.find((_, index) => registries[index] === undefined);
  if (strange !== undefined)
    return skip(from, 'host-not-allowed', `the registry ${shown(strange)} is not configured for this source`);
  const registry = registries[0] ?? binding.registry;
  if (registry === undefined) return skip(from, 'missing-host', 'no registry is named');
  if (new Set(registries).size > 1) return skip(from, 'inconsistent', 'the event names two different registries');
  const { tag, digest } = event;
  const repository = renamed(event.repository, binding);
  if (!isRepository(repository)) {
    const mend = repository === repository.toLowerCase() ? '' : ' (repository names are lower case)';
    return skip(from, 'invalid-repository', `"${shown(repository)}" is not a repository name${mend}`);
  }
  if (tag !== undefined && !isTag(tag)) return skip(from, 'invalid-tag', `"${shown(tag)}" is not a tag`);
  if (digest !== undefined && !isDigest(digest)) {
    return skip(
      from,
      'invalid-digest',
      `"${shown(digest)}" is not a digest; write sha256: and 64 lower-case hex digits`,
    );
  }
  const image = {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
  const imageKey = deduplicationId('attest', image);
  // Image and tag are part of the key: an id that a sender uses twice for two of them must not cost the second one.
  const deliveryKey = `${event.id} ${imageKey} ${tag ?? ''}`;
  return { from, image, event, imageKey, ...(event.id === '' ? {} : { deliveryKey }) };
}

function renamed(name: string, { repositories }: Binding): string {
  return repositories !== undefined && Object.hasOwn(repositories, name) ? (repositories[name] ?? name) : name;
}

/** The second half: loops, kinds, and what was accepted before, in this request too. */
export function settle(found: readonly (Candidate | Skip)[], binding: Binding, facts: Facts): readonly Decision[] {
  const accepted = new Set<string>();
  return found.map((one) => {
    if ('skip' in one) {
      const removed = removedImage(one, binding);
      return { skipped: one, ...(removed ? { removed } : {}) };
    }
    const reason = whyNot(one, binding, facts);
    if (reason !== undefined) {
      const evidence = pushedEvidence(one, reason);
      return { skipped: skip(one.from, reason, SKIP_REASONS[reason]), ...(evidence ? { evidence } : {}) };
    }
    const announced = JSON.stringify([one.imageKey, one.image.tag, one.event.actor]);
    const isNew = !accepted.has(announced);
    accepted.add(announced);
    if (!accepted.has(one.imageKey)) {
      accepted.add(one.imageKey);
      return { enqueue: one };
    }
    return { skipped: skip(one.from, 'duplicate', SKIP_REASONS.duplicate), ...(isNew ? { again: one } : {}) };
  });
}

/** Held to the same as a push: whose registry it is, and the grammar of names. */
function removedImage({ from, removed }: Skip, binding: Binding): RemovedImage | undefined {
  if (removed === undefined) return undefined;
  const read = candidate({ from, event: { id: '', ...removed } }, binding);
  if ('skip' in read) return undefined;
  return { image: read.image, ...(removed.actor === undefined ? {} : { actor: removed.actor }) };
}

function whyNot({ image, event, deliveryKey }: Candidate, binding: Binding, facts: Facts): SkipReason | undefined {
  const { registry, repository, tag, digest } = image;
  if (digest !== undefined && facts.ownPush(`${registry}/${repository}`, digest)) return 'own-push';
  if (event.actor !== undefined && binding.isIgnoredActor(event.actor)) return 'own-push';
  if (tag !== undefined && binding.isAttestationTag(tag)) return 'attestation-tag';
  if (event.proven === 'has-subject') return 'has-subject';
  if (event.proven === 'artifact-not-image' || showsNoImageConfig(event)) return 'artifact-not-image';
  if (tag === undefined && binding.digestOnly === 'skip') return 'digest-only';
  if (deliveryKey !== undefined && facts.seen(deliveryKey)) return 'duplicate';
  return undefined;
}

// A manifest lists its config among its references; an index lists manifests, which prove nothing.
function showsNoImageConfig({ mediaType, references }: PushEvent): boolean {
  if (!references?.length || mediaType === undefined || IMAGE_INDEXES.includes(mediaType)) return false;
  return !references.some((reference) => IMAGE_CONFIGS.includes(reference.mediaType));
}

function skip(from: string, reason: SkipReason, message: string): Skip {
  return { from, skip: reason, message };
}
