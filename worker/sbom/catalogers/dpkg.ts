import type { Cataloger } from '#sbom/cataloger.ts';
import type { Fact } from '#sbom/fact.ts';
import { cleanPath } from '#sbom/layer-path.ts';

const STATUS = 'var/lib/dpkg/status';
// Distroless images have one file a package here, and `.md5sums` files in place of the lists.
const STATUS_FOLDER = /^var\/lib\/dpkg\/status\.d\/[^/]+$/;
const LIST = /^var\/lib\/dpkg\/info\/[^/]+\.list$/;
const MD5SUMS = '.md5sums';

/** Debian packages: the dpkg database, and which files its packages own (dpkg(1), deb-control(5)). */
export const dpkg: Cataloger = {
  id: 'dpkg',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: ({ path }) => path === STATUS || STATUS_FOLDER.test(path) || LIST.test(path),
  parse(path, bytes) {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    if (path.endsWith('.list')) return [{ kind: 'owns', paths: text.split('\n').map(cleanPath) }];
    if (path.endsWith(MD5SUMS)) return [{ kind: 'owns', paths: md5sumPaths(text) }];
    return parseStatus(path, text);
  },
};

function md5sumPaths(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const match = /^[0-9a-f]{32} [ *](.+)$/.exec(line);
    return match?.[1] ? [cleanPath(match[1])] : [];
  });
}

function parseStatus(path: string, text: string): Fact[] {
  const facts: Fact[] = [];
  let unreadable = 0;
  for (const paragraph of text.split(/\r?\n(?:[ \t]*\r?\n)+/)) {
    const fields = controlFields(paragraph);
    if (fields.size === 0) continue;
    const fact = packageFact(fields);
    if (fact === 'unreadable') unreadable++;
    else if (fact) facts.push(fact);
  }
  if (unreadable > 0) facts.push({ kind: 'gap', message: `${path}: ${unreadable} entries are not readable` });
  return facts;
}

/** The first line of each field; continuation lines carry nothing that an inventory needs. */
function controlFields(paragraph: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of paragraph.split('\n')) {
    const match = /^([!-9;-~]+):[ \t]*(.*?)[ \t\r]*$/.exec(line);
    if (match?.[1] && !line.startsWith('#')) fields.set(match[1].toLowerCase(), match[2] ?? '');
  }
  return fields;
}

// deb-control(5) and deb-version(7).
const NAME = /^[a-z0-9][a-z0-9+.-]{0,199}$/i;
const VERSION = /^[0-9A-Za-z.+~:-]{1,200}$/;
const ARCHITECTURE = /^[a-z0-9-]{1,40}$/;
/** A package of which nothing but its configuration is left is not there. */
const GONE = new Set(['not-installed', 'config-files']);

function packageFact(fields: ReadonlyMap<string, string>): Fact | 'unreadable' | undefined {
  const name = fields.get('package') ?? '';
  const state = fields.get('status')?.split(/\s+/)[2];
  if (state !== undefined && GONE.has(state)) return undefined;
  const version = fields.get('version') ?? '';
  if (!NAME.test(name) || !VERSION.test(version)) return 'unreadable';
  const architecture = fields.get('architecture') ?? '';
  const source = sourceOf(fields.get('source') ?? '', name);
  const qualifiers = {
    ...(ARCHITECTURE.test(architecture) ? { arch: architecture } : {}),
    ...(source === undefined ? {} : { upstream: source }),
  };
  return { kind: 'package', type: 'deb', name, version, distribution: true, qualifiers };
}

/**
 * The source package where it differs, as `name[@version]`: security trackers of Debian go by source packages, and
 * scanners look for them in this qualifier.
 */
function sourceOf(field: string, name: string): string | undefined {
  const match = /^(\S+)(?:\s+\((\S+)\))?$/.exec(field);
  if (!match?.[1] || !NAME.test(match[1])) return undefined;
  if (match[2] && VERSION.test(match[2])) return `${match[1]}@${match[2]}`;
  return match[1] === name ? undefined : match[1];
}
