import { dirname, isAbsolute, resolve } from 'node:path';
import type { Path } from '#config/problem.ts';
import { branchFor, childOf, type SchemaNode } from '#config/schema-node.ts';
import { SECRET_REFERENCE } from '#model/secret.ts';
import { TEXT_FORMATS, type TextFormat } from '#model/settings.ts';

/** A text of the file that names something outside of it. */
export interface OutsideName {
  readonly path: Path;
  readonly kind: 'file' | 'variable';
  /** The absolute path of the file, or the name of the variable. */
  readonly name: string;
}

/** Plain data with every path made absolute, and what its texts name outside of the file. */
export interface Anchored {
  readonly raw: unknown;
  readonly outside: readonly OutsideName[];
}

/** Anchors relative paths at the folder of the configuration file, so that the place of start does not matter. */
export function anchorPaths(raw: unknown, schema: SchemaNode, configFile: string): Anchored {
  const outside: OutsideName[] = [];
  const folder = dirname(resolve(configFile));
  const walk = (value: unknown, node: SchemaNode | undefined, path: Path): unknown => {
    const branch = node && branchFor(node, value);
    if (!branch) return value;
    if (typeof value === 'string') return anchorText(value, formatOf(branch), folder, path, outside);
    if (Array.isArray(value)) return value.map((item, index) => walk(item, branch.items, [...path, index]));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, member]) => {
      return [key, walk(member, childOf(branch, key), [...path, key])];
    });
    return Object.fromEntries(entries);
  };
  return { raw: walk(raw, schema, []), outside };
}

function anchorText(
  text: string,
  format: TextFormat | undefined,
  folder: string,
  path: Path,
  outside: OutsideName[],
): string {
  const anchored = (name: string): string => {
    const file = isAbsolute(name) ? name : resolve(folder, name);
    outside.push({ path, kind: 'file', name: file });
    return file;
  };
  switch (format) {
    case undefined:
    case 'duration':
    case 'size':
      return text;
    case 'folder':
      // Written to, so that it need not be there.
      return text === '' || isAbsolute(text) ? text : resolve(folder, text);
    case 'path':
      return text === '' || /^(?:env|file):/.test(text) ? text : anchored(text);
    case 'fingerprint-or-path':
      return /^[0-9a-f]{64}$/.test(text) || !/[./]/.test(text) ? text : anchored(text);
    case 'secret':
    case 'url-or-secret':
      if (!SECRET_REFERENCE.test(text)) return text;
      if (text.startsWith('file:')) return `file:${anchored(text.slice('file:'.length))}`;
      outside.push({ path, kind: 'variable', name: text.slice('env:'.length) });
      return text;
  }
}

function formatOf(node: SchemaNode): TextFormat | undefined {
  return TEXT_FORMATS.find((format) => format === node.format);
}
