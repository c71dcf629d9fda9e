import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Descriptor } from '#model/descriptor.ts';
import { AppError } from '#model/errors.ts';
import { OCI_INDEX } from '#model/media-types.ts';
import { parseDescriptor } from '#oci/descriptor.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';

/** OCI image-spec, annotations: the tag of an entry in the `index.json` of an image layout. */
const REF_NAME = 'org.opencontainers.image.ref.name';
const LAYOUT_VERSION = '1.0.0';
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

export function tagOf(entry: Descriptor): string | undefined {
  return entry.annotations?.[REF_NAME];
}

export function withTag(entry: Descriptor, tag: string | undefined): Descriptor {
  const { annotations, ...rest } = entry;
  const { [REF_NAME]: _, ...others } = annotations ?? {};
  const kept = tag === undefined ? others : { ...others, [REF_NAME]: tag };
  return Object.keys(kept).length === 0 ? rest : { ...rest, annotations: kept };
}

/** The entries of a layout's `index.json`; none when there is no layout. */
export async function readLayoutIndex(layout: string): Promise<readonly Descriptor[]> {
  const path = join(layout, 'index.json');
  const bytes = await readIfThere(path);
  if (bytes === undefined) return [];
  if (bytes.byteLength > MAX_INDEX_BYTES)
    throw new AppError('too-large', `${path} is larger than ${MAX_INDEX_BYTES} bytes`);
  const manifests = asObject(parseBoundedJson(bytes))?.manifests;
  if (!Array.isArray(manifests)) throw new AppError('manifest-malformed', `${path}: manifests is not a list`);
  return manifests.map((entry, at) => parseDescriptor(entry, `${path}: manifests[${at}]`));
}

export async function writeLayoutIndex(layout: string, manifests: readonly Descriptor[]): Promise<void> {
  await writeAtomically(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION }));
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
  await writeAtomically(join(layout, 'index.json'), JSON.stringify(index));
}

/** A reader sees the old file or the new one, and a crash leaves no half of it. */
export async function writeAtomically(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const work = await mkdtemp(join(dirname(path), '.writing-'));
  try {
    const file = join(work, 'content');
    await writeFile(file, content, { flush: true });
    await rename(file, path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new AppError('not-found', `${path} cannot be read (${code})`, { cause: error });
  }
}
