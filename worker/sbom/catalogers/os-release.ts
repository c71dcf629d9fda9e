import type { Cataloger } from '#sbom/cataloger.ts';
import type { Fact } from '#sbom/fact.ts';
import { plainText } from '#sbom/plain-text.ts';

export const OS_RELEASE_PATHS: readonly string[] = ['etc/os-release', 'usr/lib/os-release'];

/** Which operating system the image holds: os-release(5). */
export const osRelease: Cataloger = {
  id: 'os-release',
  version: 1,
  maxBytes: 64 * 1024,
  wants: ({ path }) => OS_RELEASE_PATHS.includes(path),
  parse: (path, bytes) => [parseOsRelease(path, Buffer.from(bytes).toString('utf8'))],
};

function parseOsRelease(path: string, text: string): Fact {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim());
    if (match?.[1]) fields.set(match[1], unquote(match[2] ?? ''));
  }
  const id = identifier(fields.get('ID') ?? '');
  if (id === '') return { kind: 'gap', message: `${path} names no operating system` };
  const versionId = plainText(fields.get('VERSION_ID') ?? '', 64);
  const name = plainText(fields.get('PRETTY_NAME') ?? fields.get('NAME') ?? '', 200);
  return {
    kind: 'system',
    id,
    idLike: (fields.get('ID_LIKE') ?? '').split(/\s+/).map(identifier).filter(Boolean).slice(0, 10),
    ...(versionId === '' ? {} : { versionId }),
    ...(name === '' ? {} : { name }),
  };
}

/** Shell quoting, as far as os-release(5) allows it. */
function unquote(text: string): string {
  const quote = text[0];
  if (text.length >= 2 && (quote === '"' || quote === "'") && text.endsWith(quote)) {
    const inner = text.slice(1, -1);
    return quote === '"' ? inner.replace(/\\(["$`\\])/g, '$1') : inner;
  }
  return text;
}

function identifier(text: string): string {
  return /^[a-z0-9._-]{1,64}$/.test(text.toLowerCase()) ? text.toLowerCase() : '';
}
