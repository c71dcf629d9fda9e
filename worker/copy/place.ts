import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { Target } from '#oci/target.ts';

/** One repository of one store. */
export interface Place {
  readonly target: Target;
  /** The registry's configured name; of a folder, its path. */
  readonly registry: string;
  readonly repository: string;
  /** How messages call it, where that is not `registry/repository`. */
  readonly name?: string;
  /** A folder: there is no registry to spare. */
  readonly isFolder?: true;
}

/** Where content comes from and where it goes. */
export interface Pair {
  readonly from: Place;
  readonly to: Place;
}

/** How messages call a place: `registry/repository`, or a folder. No two have the same name. */
export function placeName({ registry, repository, name }: Place): string {
  return name ?? `${registry}/${repository}`;
}

/** What a tag or digest names there; undefined when there is nothing. */
export async function descriptorAt(
  { target, repository }: Place,
  reference: string,
  signal?: AbortSignal,
): Promise<Descriptor | undefined> {
  try {
    return await target.resolve(repository, reference, signal);
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** Its digest. */
export async function digestAt(...question: Parameters<typeof descriptorAt>): Promise<Digest | undefined> {
  return (await descriptorAt(...question))?.digest;
}
