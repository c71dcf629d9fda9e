import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { OCI_INDEX } from '#model/media-types.ts';
import { parseDescriptor } from '#oci/descriptor.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import { cutList, joinList } from '#oci/json-list.ts';

/** The list of a subject's referrers, in the form of an image index (OCI distribution-spec, referrers tag schema). */
export interface ReferrersIndex {
  readonly entries: readonly ReferrerEntry[];
  readonly before: string;
  readonly after: string;
}

export interface ReferrerEntry {
  /** As its writer wrote it. */
  readonly text: string;
  /** Absent for an entry that is no descriptor: nothing can be read by it. */
  readonly descriptor?: Descriptor;
}

/** More than any image has; a longer list is a mistake or an attack. */
export const MAX_REFERRERS = 1000;

export const EMPTY_INDEX: ReferrersIndex = {
  entries: [],
  before: `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":`,
  after: '}',
};

/** @throws AppError `manifest-malformed`; `too-large` beyond a thousand entries. */
export function parseReferrersIndex(bytes: Uint8Array, what: string): ReferrersIndex {
  if (!asObject(parseBoundedJson(bytes, what))) throw new AppError('manifest-malformed', `${what} is not an object`);
  const { before, elements, after } = cutList(new TextDecoder().decode(bytes), 'manifests', what);
  if (elements.length > MAX_REFERRERS) throw tooManyReferrers(what);
  const entries = elements.map((text) => {
    const descriptor = descriptorOf(text, what);
    return descriptor ? { text, descriptor } : { text };
  });
  return { entries, before, after };
}

export function tooManyReferrers(what: string): AppError {
  return new AppError('too-large', `${what} lists more than ${MAX_REFERRERS} referrers`, {
    mend: 'delete referrers of this image that nobody needs',
  });
}

export function referrersIndexBytes({ entries, before, after }: ReferrersIndex): Uint8Array {
  return new TextEncoder().encode(joinList({ before, elements: entries.map(({ text }) => text), after }));
}

export function referrersOf({ entries }: ReferrersIndex): readonly Descriptor[] {
  return entries.flatMap(({ descriptor }) => (descriptor ? [descriptor] : []));
}

/** Whether a referrer is listed with its type and annotations: verifiers select by them (interop A.3.6). */
export function listsReferrer(index: ReferrersIndex, referrer: Descriptor): boolean {
  return index.entries.some(({ descriptor }) => descriptor !== undefined && isSameListing(descriptor, referrer));
}

/** The index with this referrer once, in the place of an entry that said other things of it; others are not touched. */
export function withReferrer(index: ReferrersIndex, referrer: Descriptor): ReferrersIndex {
  const entry = { text: JSON.stringify(referrer), descriptor: referrer };
  const at = index.entries.findIndex(({ descriptor }) => descriptor?.digest === referrer.digest);
  const others = index.entries.filter(({ descriptor }) => descriptor?.digest !== referrer.digest);
  const entries = at < 0 ? [...others, entry] : others.toSpliced(at, 0, entry);
  return { ...index, entries };
}

export function withoutReferrer(index: ReferrersIndex, digest: Digest): ReferrersIndex {
  return { ...index, entries: index.entries.filter(({ descriptor }) => descriptor?.digest !== digest) };
}

function isSameListing(found: Descriptor, wanted: Descriptor): boolean {
  return (
    found.digest === wanted.digest &&
    found.mediaType === wanted.mediaType &&
    found.size === wanted.size &&
    found.artifactType === wanted.artifactType &&
    Object.entries(wanted.annotations ?? {}).every(([name, value]) => found.annotations?.[name] === value)
  );
}

function descriptorOf(text: string, what: string): Descriptor | undefined {
  try {
    return parseDescriptor(JSON.parse(text), what);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
