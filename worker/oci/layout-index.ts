import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Descriptor } from '#model/descriptor.ts';
import { AppError } from '#model/errors.ts';
import { OCI_INDEX } from '#model/media-types.ts';
import { parseDescriptor } from '#oci/descriptor.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import { type CutList, cutList, joinList } from '#oci/json-list.ts';

/** OCI image-spec, annotations: the tag of an entry in the `index.json` of an image layout. */
const REF_NAME = 'org.opencontainers.image.ref.name';
const LAYOUT_VERSION = '1.0.0';
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** The `index.json` of an image layout; what other tools wrote into it stays as it is. */
export interface LayoutIndex {
  readonly entries: readonly LayoutEntry[];
  readonly cut: Pick<CutList, 'before' | 'after'>;
}

export interface LayoutEntry {
  /** As its writer wrote it. */
  readonly text: string;
  readonly descriptor: Descriptor;
}

const NEW_INDEX: LayoutIndex = {
  entries: [],
  cut: { before: `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":`, after: '}' },
};

export function tagOf(entry: Descriptor): string | undefined {
  return entry.annotations?.[REF_NAME];
}

/** An entry of our own for the index. */
export function layoutEntry(listed: Descriptor, tag: string | undefined): LayoutEntry {
  const { annotations, ...rest } = listed;
  const { [REF_NAME]: _, ...others } = annotations ?? {};
  const kept = tag === undefined ? others : { ...others, [REF_NAME]: tag };
  const descriptor = Object.keys(kept).length === 0 ? rest : { ...rest, annotations: kept };
  return { text: JSON.stringify(descriptor), descriptor };
}

/** The index of a layout; an empty one when there is no layout. */
export async function readLayoutIndex(layout: string): Promise<LayoutIndex> {
  const path = join(layout, 'index.json');
  const bytes = await readIfThere(path);
  if (bytes === undefined) return NEW_INDEX;
  if (bytes.byteLength > MAX_INDEX_BYTES)
    throw new AppError('too-large', `${path} is larger than ${MAX_INDEX_BYTES} bytes`);
  if (!asObject(parseBoundedJson(bytes, path))) throw new AppError('manifest-malformed', `${path} is not an object`);
  const { before, elements, after } = cutList(new TextDecoder().decode(bytes), 'manifests', path);
  const entries = elements.map((text, at) => {
    return { text, descriptor: parseDescriptor(JSON.parse(text), `${path}: manifests[${at}]`) };
  });
  return { entries, cut: { before, after } };
}

export async function writeLayoutIndex(layout: string, { entries, cut }: LayoutIndex): Promise<void> {
  const marker = join(layout, 'oci-layout');
  if ((await readIfThere(marker)) === undefined) {
    await writeAtomically(marker, JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION }));
  }
  await writeAtomically(join(layout, 'index.json'), joinList({ ...cut, elements: entries.map(({ text }) => text) }));
}

/** A reader sees the old file or the new one, and a crash leaves no half of it. */
export async function writeAtomically(path: string, content: Uint8Array | string | Readable): Promise<void> {
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
