/**
 * A path of a layer as the file system sees it: relative to the root, without empty, `.` and `..` parts. A path that
 * climbs out of the root stays in it, as when a runtime unpacks it. The root itself is the empty string.
 */
export function cleanPath(name: string): string {
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(name)) return name;
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Folders above the path. */
export function pathDepth(path: string): number {
  let depth = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) depth++;
  return depth;
}

export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

/** The folders above a path, the nearest first, without the root. */
export function* ancestors(path: string): Generator<string> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) yield path.slice(0, at);
}

export type Whiteout =
  /** `.wh.NAME`: NAME of the layers below is gone. */
  | { readonly kind: 'path'; readonly path: string }
  /** `.wh..wh..opq`: whatever the layers below hold in this folder is gone. */
  | { readonly kind: 'opaque'; readonly folder: string };

const PREFIX = '.wh.';
const OPAQUE = '.wh..wh..opq';
// Other names of this form belong to the union file system's own bookkeeping (AUFS), and hide nothing.
const INTERNAL = '.wh..wh.';

/** What an entry hides of the layers below (OCI image-spec, "Whiteouts"); undefined when it is none. */
export function whiteoutOf(path: string): Whiteout | 'internal' | undefined {
  const folder = parentPath(path);
  const name = folder === '' ? path : path.slice(folder.length + 1);
  if (!name.startsWith(PREFIX)) return undefined;
  if (name === OPAQUE) return { kind: 'opaque', folder };
  if (name.startsWith(INTERNAL) || name === PREFIX) return 'internal';
  const hidden = name.slice(PREFIX.length);
  if (hidden === '.' || hidden === '..') return 'internal';
  return { kind: 'path', path: folder === '' ? hidden : `${folder}/${hidden}` };
}
