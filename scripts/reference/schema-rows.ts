import { branches, type SchemaNode } from '#config/schema-node.ts';
import { code } from './markdown.ts';

/** One key of a schema: its path, what may stand there, its default, its meaning. */
export type KeyRow = readonly [key: string, form: string, fallback: string, meaning: string];

/** The keys of an object and of everything below it. */
export function keyRows(node: SchemaNode, prefix = ''): KeyRow[] {
  return branches(node).flatMap((branch) => {
    if (branch.type === 'array' && branch.items) return keyRows(branch.items, `${prefix}[]`);
    const own = Object.entries(branch.properties ?? {}).flatMap(([key, member]) => {
      const path = prefix === '' ? key : `${prefix}.${key}`;
      const required = branch.required?.includes(key) ?? false;
      const row: KeyRow = [code(path), formOf(member), fallbackOf(member, required), member.description ?? ''];
      return [row, ...keyRows(member, path)];
    });
    const named = typeof branch.additionalProperties === 'object' ? branch.additionalProperties : undefined;
    return named ? [...own, ...keyRows(named, `${prefix}.<name>`)] : own;
  });
}

const FORMS: Readonly<Record<string, string>> = {
  path: 'path',
  folder: 'path of a folder',
  secret: 'secret reference',
  'url-or-secret': 'URL or secret reference',
  'fingerprint-or-path': 'fingerprint or path',
  duration: 'duration',
  size: 'size',
};

/** What may stand at a place, in words. */
export function formOf(node: SchemaNode): string {
  const alternatives = branches(node);
  if (alternatives.length > 1) return [...new Set(alternatives.map(formOf))].join(' or ');
  if (node.const !== undefined) return code(`${node.const}`);
  if (node.enum) return node.enum.map((value) => code(`${value}`)).join(', ');
  if (node.format !== undefined && FORMS[node.format] !== undefined) return FORMS[node.format] ?? '';
  if (node.type === 'array') return node.items ? `list of ${formOf(node.items)}` : 'list';
  if (node.type === 'object') return typeof node.additionalProperties === 'object' ? 'map by name' : 'map';
  if (node.type === 'boolean') return `${code('true')}, ${code('false')}`;
  if (node.type === 'integer') return 'whole number';
  return node.type === 'string' ? 'text' : (node.type ?? 'any');
}

function fallbackOf(node: SchemaNode, required: boolean): string {
  if (required) return 'required';
  if (node.default === undefined) return '';
  const fallback = JSON.stringify(node.default);
  return fallback === '{}' || fallback === '[]' ? '' : code(fallback.replaceAll('"', ''));
}
