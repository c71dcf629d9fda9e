import { statementOf } from '#engine/handed-in.ts';
import type { Digest } from '#model/digest.ts';
import type { HandedIn } from '#model/handed-in.ts';
import type { ImageRef } from '#model/image-ref.ts';

export type About = ImageRef & { readonly digest: Digest };

/** What the producer keeps of a predicate that ci hands in. */
export function handedInPredicate(
  image: About,
  predicateType: string,
  predicate: object,
  more: Partial<HandedIn> = {},
): HandedIn {
  const { payload } = statementOf(image, predicateType, predicate);
  return handedInStatement(image, predicateType, payload, more);
}

/** The same of any bytes, sound or not. */
export function handedInStatement(
  image: About,
  predicateType: string,
  payload: Uint8Array,
  more: Partial<HandedIn> = {},
): HandedIn {
  return {
    v: 1,
    image,
    predicateType,
    statement: Buffer.from(payload).toString('base64'),
    source: 'api',
    actor: 'ci',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    receivedAt: '2026-06-01T11:59:00.000Z',
    ...more,
  };
}
