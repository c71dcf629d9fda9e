import type { SkippedItem } from '#producer/webhooks/adapter.ts';
import { present } from '#producer/webhooks/payload.ts';

/** Members of an event as they were read: any may be absent or empty. */
export interface ClaimedRemoval {
  readonly hosts: readonly string[];
  readonly repository?: string | null | undefined;
  readonly tag?: string | null | undefined;
  readonly digest?: string | null | undefined;
  readonly actor?: string | null | undefined;
}

/** A deletion is nothing to attest; what it names, where it names anything, is asked of the registry. */
export function deleted(from: string, { hosts, repository, tag, digest, actor }: ClaimedRemoval): SkippedItem {
  if (!repository || !(tag || digest)) return { from, skip: 'delete' };
  return { from, skip: 'delete', removed: { hosts, repository, ...present({ tag, digest, actor }) } };
}
