import type { Cataloger } from '#sbom/cataloger.ts';
import type { Fact } from '#sbom/fact.ts';
import { plainText } from '#sbom/plain-text.ts';

const METADATA = /(?:^|\/)(?:[^/]+\.dist-info\/METADATA|[^/]+\.egg-info(?:\/PKG-INFO)?|EGG-INFO\/PKG-INFO)$/;
// Copies inside another package (setuptools, pip) are that package's code: they are not on Python's path, and pip does
// not list them.
const VENDORED = /(?:^|\/)_vendor\//;
// Core metadata specification, Name; PEP 440 for versions.
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?$/;
const VERSION = /^[0-9A-Za-z.+!_-]{1,200}$/;

/** Installed Python distributions: `dist-info/METADATA`, `egg-info/PKG-INFO` and the egg-info that is one file. */
export const python: Cataloger = {
  id: 'python',
  version: 1,
  maxBytes: 4 * 1024 * 1024,
  wants: ({ path }) => METADATA.test(path) && !VENDORED.test(path),
  parse: (path, bytes) => parseMetadata(path, bytes),
};

function parseMetadata(path: string, bytes: Uint8Array): Fact[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const fields = headerFields(text);
  const name = fields.get('name')?.[0] ?? '';
  const version = fields.get('version')?.[0] ?? '';
  if (!NAME.test(name) || !VERSION.test(version)) {
    return [{ kind: 'gap', message: `${path} names no package and version` }];
  }
  const licenses = declaredLicenses(fields);
  return [{ kind: 'package', type: 'pypi', name, version, ...(licenses.length === 0 ? {} : { licenses }) }];
}

/** The header of a mail-like message; the description below the first empty line is not read. */
function headerFields(text: string): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/, 2000)) {
    if (line === '') break;
    const match = /^([A-Za-z-]+):[ \t]*(.*)$/.exec(line);
    if (!match?.[1]) continue;
    const key = match[1].toLowerCase();
    const values = fields.get(key) ?? [];
    values.push(match[2]?.trim() ?? '');
    fields.set(key, values);
  }
  return fields;
}

const CLASSIFIER = /^License :: (?:OSI Approved :: )?(.+)$/;

/** The SPDX expression where there is one, else the licence field when it is a name, else the classifiers. */
function declaredLicenses(fields: ReadonlyMap<string, readonly string[]>): string[] {
  const expression = plainText(fields.get('license-expression')?.[0] ?? '', 200);
  if (expression !== '') return [expression];
  const license = plainText(fields.get('license')?.[0] ?? '', 1000);
  // Some packages put the whole licence text here.
  if (license !== '' && license !== 'UNKNOWN' && license.length <= 100) return [license];
  return (fields.get('classifier') ?? []).slice(0, 200).flatMap((classifier) => {
    const named = CLASSIFIER.exec(classifier)?.[1];
    return named && named !== 'OSI Approved' ? [plainText(named, 200)] : [];
  });
}
