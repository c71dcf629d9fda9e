import type { Cataloger } from '#sbom/cataloger.ts';
import type { Fact } from '#sbom/fact.ts';
import { plainText } from '#sbom/plain-text.ts';

const MANIFEST = 'package.json';
const MODULES = 'node_modules/';
// The name rules of npm, those of old packages included (capitals).
const NAME = /^(?:@[a-z0-9~_.!'()*-][a-z0-9~_.!'()*-]*\/)?[a-z0-9~_.!'()*-]+$/i;
const VERSION = /^[0-9A-Za-z.+-]{1,200}$/;

/**
 * Installed npm packages: `node_modules/NAME/package.json` where NAME is also the name inside, and manifests outside any
 * `node_modules` (the application itself). Other manifests below `node_modules` are test data and partial packages.
 */
export const npm: Cataloger = {
  id: 'npm',
  version: 1,
  maxBytes: 4 * 1024 * 1024,
  wants: ({ path }) => isManifest(path) && place(path) !== 'inside',
  parse: (path, bytes) => parseManifest(path, bytes),
};

function isManifest(path: string): boolean {
  return path === MANIFEST || path.endsWith(`/${MANIFEST}`);
}

/** `outside` any node_modules, `inside` a package of it, or the folder name of the package that it is. */
function place(path: string): 'outside' | 'inside' | { readonly folder: string } {
  // With a slash in front, where the slash stands is where the folder's name starts in the path itself.
  const start = `/${path}`.lastIndexOf(`/${MODULES}`);
  if (start < 0) return 'outside';
  const folder = path.slice(start + MODULES.length, -MANIFEST.length - 1);
  return /^(?:@[^/]+\/)?[^@/][^/]*$/.test(folder) ? { folder } : 'inside';
}

function parseManifest(path: string, bytes: Uint8Array): Fact[] {
  const where = place(path);
  const manifest = parseObject(bytes);
  if (!manifest) {
    // Broken manifests outside node_modules are test data; npm could not have installed one inside.
    return where === 'outside' ? [] : [{ kind: 'gap', message: `${path} is not a JSON object` }];
  }
  const { name, version } = manifest;
  if (typeof name !== 'string' || typeof version !== 'string') return [];
  if (typeof where === 'object' && where.folder !== name) return [];
  if (name.length > 214 || !NAME.test(name) || !VERSION.test(version)) return [];
  const slash = name.indexOf('/');
  const licenses = declaredLicenses(manifest);
  return [
    {
      kind: 'package',
      type: 'npm',
      ...(slash < 0 ? {} : { namespace: name.slice(0, slash) }),
      name: name.slice(slash + 1),
      version,
      ...(licenses.length === 0 ? {} : { licenses }),
    },
  ];
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** `license` as text, or the older `{ type }` and `licenses: [{ type }]`. */
function declaredLicenses(manifest: Record<string, unknown>): string[] {
  const declared = Array.isArray(manifest.licenses) ? manifest.licenses : [manifest.license];
  return declared.slice(0, 20).flatMap((entry: unknown) => {
    const text = typeof entry === 'object' && entry !== null && 'type' in entry ? entry.type : entry;
    const clean = typeof text === 'string' ? plainText(text, 200) : '';
    return clean === '' ? [] : [clean];
  });
}
