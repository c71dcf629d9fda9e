import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Target } from '#oci/target.ts';

/** One repository of one store. */
export interface Place {
  readonly target: Target;
  /** The registry's configured name, or how messages call the folder. */
  readonly registry: string;
  readonly repository: string;
}

/** Where content comes from and where it goes. */
export interface Pair {
  readonly from: Place;
  readonly to: Place;
}

/** `registry/repository`, for messages and locks. */
export function placeName({ registry, repository }: Place): string {
  return `${registry}/${repository}`;
}

/** The digest that a tag or digest names there; undefined when there is none. */
export async function digestAt(
  { target, repository }: Place,
  reference: string,
  signal?: AbortSignal,
): Promise<Digest | undefined> {
  try {
    return (await target.resolve(repository, reference, signal)).digest;
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}
