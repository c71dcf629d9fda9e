import type { Digest } from '#model/digest.ts';

/** `untagged`: one tag does not name the image any more, which is still there; `deleted`: the image is gone. */
export type RemovalKind = 'untagged' | 'deleted';

/** By what it was learned; the registry was asked in each case. */
export const LEARNED_BY = ['event', 'push', 'sweep', 'check'] as const;
export type LearnedBy = (typeof LEARNED_BY)[number];

/** What a registry was found not to hold any more of a known image. */
export interface Removal {
  readonly kind: RemovalKind;
  /** Of `untagged`: the tag. */
  readonly tag?: string;
  /** Of `untagged`: what the tag names instead; absent where it is gone. */
  readonly movedTo?: Digest;
  /** ISO 8601: when the registry said so. */
  readonly at: string;
  readonly learnedBy: LearnedBy;
  /** The configured source of the event, `sweep` or `scheduler`. */
  readonly source: string;
  /** Who did it, only from a source whose deliveries are authenticated. */
  readonly actor?: string;
}

/** What the ledger remembers of removals, per image (`registry/repository@digest`): each thing once, the first time. */
export interface RemovalRecord {
  /** False when the same was known already. */
  noteRemoval(image: string, removal: Removal): Promise<boolean>;
  /** Newest first. */
  removals(image: string): Promise<readonly Removal[]>;
  /** The image is there again, under this tag when one is given. */
  noteReturn(image: string, tag?: string): Promise<void>;
}

/** What a tag was seen to name. */
export interface TagName {
  readonly digest: Digest;
  /** When the newest push or event was received that this was learned by. */
  readonly at: Date;
}

/** What tags of known images were last seen to name. `repository` is `registry/path`. */
export interface TagNames {
  /** Notes what a tag names now; of one digest the newest time stays. */
  note(repository: string, tag: string, name: TagName): Promise<void>;
  named(repository: string, tag: string): Promise<TagName | undefined>;
  /** Forgets a tag, unless it was seen to name something else meanwhile. */
  drop(repository: string, tag: string, digest: Digest): Promise<void>;
}

/** Tells two removals of one image apart. */
export function removalField({ kind, tag }: Pick<Removal, 'kind' | 'tag'>): string {
  return kind === 'deleted' ? 'deleted' : `tag ${tag ?? ''}`;
}
