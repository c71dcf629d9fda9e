import { formatImageRef, type ImageRef } from '#model/image-ref.ts';
import type { Removal } from '#model/removal.ts';
import { readImage } from '#producer/admin/image-name.ts';
import type { AdminParts } from '#producer/admin/parts.ts';
import { isRefusal, type Refusal, refusal } from '#producer/admin/refusal.ts';

const MAX_HISTORY = 200;
const DEFAULT_HISTORY = 50;
const MAX_IMAGES = 500;
const DEFAULT_IMAGES = 100;

/** Known images by name, in pages: `?cursor=` is the last answer's `cursor`, `?limit=` how many. */
export async function listImages(parts: AdminParts, query: Readonly<Record<string, string>>): Promise<object> {
  const limit = readLimit(query.limit, DEFAULT_IMAGES, MAX_IMAGES);
  if (typeof limit !== 'number') return limit;
  const { images, cursor } = await parts.ledger.images(query.cursor, limit);
  return { images, ...(cursor === undefined ? {} : { cursor }) };
}

/** What holds for one image under each policy, since when, what it lost in the registry, and the changes before. */
export async function describeImage(
  parts: AdminParts,
  text: string,
  query: Readonly<Record<string, string>>,
): Promise<object> {
  const limit = readLimit(query.limit, DEFAULT_HISTORY, MAX_HISTORY);
  if (typeof limit !== 'number') return limit;
  const image = readImage(text, parts.registryOf);
  if (isRefusal(image)) return image;
  if (image.digest === undefined) {
    return refusal(422, 'missing-field', 'state is kept by digest; write registry/repository@sha256:…');
  }
  const key = withoutTag(image);
  const { ledger } = parts;
  const [states, history, removals] = await Promise.all([
    ledger.latest(key),
    ledger.history(key, limit),
    ledger.removals(key),
  ]);
  if (states.length === 0 && history.length === 0 && removals.length === 0) {
    return refusal(404, 'not-found', 'nothing is known of this image; POST /v1/images asks for it');
  }
  return { image: key, presence: presenceOf(removals), removals, states, history };
}

/** `untagged`: some tag does not name it any more; another one may. */
function presenceOf(removals: readonly Removal[]): 'present' | Removal['kind'] {
  if (removals.some(({ kind }) => kind === 'deleted')) return 'deleted';
  return removals.length > 0 ? 'untagged' : 'present';
}

export function withoutTag({ registry, repository, digest }: ImageRef): string {
  return formatImageRef({ registry, repository, ...(digest === undefined ? {} : { digest }) });
}

export function readLimit(text: string | undefined, fallback: number, most: number): number | Refusal {
  if (text === undefined) return fallback;
  const limit = /^[0-9]{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= most) return limit;
  return refusal(422, 'malformed', `\`limit\` is a whole number from 1 to ${most}`);
}
