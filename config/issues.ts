import type * as z from 'zod';
import type { Finding, Path } from '#config/problem.ts';
import { branches, branchFor, nodeAt, type SchemaNode, valueAt } from '#config/schema-node.ts';
import { suggest } from '#config/suggest.ts';
import { TEXT_FORMATS, type TextFormat } from '#model/settings.ts';

type Issue = z.core.$ZodIssue;

/** The issues of a parse as findings: each names what is wrong and how to mend it, in the file's own words. */
export function findingsOf(issues: readonly Issue[], raw: unknown, schema: SchemaNode, base: Path = []): Finding[] {
  return issues.flatMap((issue) => describe(issue, [...base, ...(issue.path as Path)], raw, schema));
}

function describe(issue: Issue, path: Path, raw: unknown, schema: SchemaNode): Finding[] {
  const value = valueAt(raw, path);
  const one = (message: string, mend: string): Finding[] => [{ severity: 'error', path, message, mend }];
  if (value === undefined && issue.code !== 'custom' && issue.code !== 'unrecognized_keys') {
    const node = nodeAt(schema, raw, path);
    return one('is missing', `add it: ${formOf(node) ?? meaningOf(node)}`);
  }
  if (value === null) return one('has no value', 'give it a value, or remove the key to take the default');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, raw, schema));
    case 'invalid_union':
      if (issue.errors.length === 0) return one(...notOneOf(value, choicesAt(schema, raw, path)));
      return describeUnion(issue.errors, path, raw, schema);
    case 'invalid_value':
      return one(...notOneOf(value, issue.values.map(String)));
    case 'invalid_type':
      return one(`expected ${article(issue.expected)}`, wantedAt(nodeAt(schema, raw, path), issue.expected));
    case 'too_small':
      return one(amount(issue.origin, 'at least', issue.minimum), meaningOf(nodeAt(schema, raw, path)));
    case 'too_big':
      return one(amount(issue.origin, 'at most', issue.maximum), meaningOf(nodeAt(schema, raw, path)));
    case 'custom':
      return one(issue.message, mendOf(issue.params));
    case 'invalid_key':
      return one(issue.issues[0]?.message ?? 'not a valid name', 'rename the key');
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
      return one(issue.message, meaningOf(nodeAt(schema, raw, path)));
  }
}

function unknownKey(key: string, path: Path, raw: unknown, schema: SchemaNode): Finding {
  const node = nodeAt(schema, raw, path);
  const branch = node && branchFor(node, valueAt(raw, path));
  const known = Object.keys(branch?.properties ?? {});
  const near = suggest(key, known);
  return {
    severity: 'error',
    path: [...path, key],
    message: 'unknown key',
    mend: near === undefined ? `remove it; keys here: ${known.join(', ')}` : `did you mean "${near}"?`,
  };
}

/**
 * Of the failed alternatives only the one that the writer meant is told: a string was meant as the string, an object
 * as the object. All of them together would bury the mistake.
 */
function describeUnion(
  alternatives: readonly (readonly Issue[])[],
  path: Path,
  raw: unknown,
  schema: SchemaNode,
): Finding[] {
  const meant = alternatives.find((issues) => !issues.some((issue) => issue.path.length === 0 && isOtherKind(issue)));
  if (meant) return findingsOf(meant, raw, schema, path);
  const node = nodeAt(schema, raw, path);
  const mend = `write ${branches(node ?? {})
    .map(shapeOf)
    .join(', or ')}`;
  return [{ severity: 'error', path, message: 'this is none of what may stand here', mend }];
}

function shapeOf(node: SchemaNode): string {
  if (node.const !== undefined) return String(node.const);
  if (node.enum !== undefined) return `one of ${node.enum.map(String).join(', ')}`;
  if (node.type === 'array' && node.items?.enum !== undefined) return 'a list of them';
  if (node.type === 'object') return `a map with ${Object.keys(node.properties ?? {}).join(', ')}`;
  return formOf(node) ?? article(node.type ?? 'string');
}

function isOtherKind(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

function notOneOf(value: unknown, choices: readonly string[]): [string, string] {
  const shown = typeof value === 'string' || typeof value === 'number' ? `"${String(value).slice(0, 80)}" is` : 'is';
  if (choices.length === 1) return [`${shown} not ${choices[0]}`, `write ${choices[0]}`];
  const near = suggest(String(value), choices);
  const mend = near === undefined ? 'write one of them' : `did you mean "${near}"?`;
  return [`${shown} not one of ${choices.join(', ')}`, mend];
}

/** The constants that a key may hold over all alternatives of the object that it stands in. */
function choicesAt(schema: SchemaNode, raw: unknown, path: Path): string[] {
  const node = nodeAt(schema, raw, path.slice(0, -1));
  const key = String(path.at(-1));
  return (node?.oneOf ?? node?.anyOf ?? []).map((branch) => String(branch.properties?.[key]?.const));
}

const FORMS: Readonly<Record<TextFormat, string>> = {
  path: 'the path of a file',
  folder: 'the path of a folder',
  secret: 'env:NAME or file:/path',
  'url-or-secret': 'a URL, or env:NAME or file:/path',
  'fingerprint-or-path': '64 hex digits or the path of a PEM file',
  duration: 'a number with a unit: 30s, 5m, 6h or 7d',
  size: 'a number with a unit: 64MiB or 2GiB',
};

function formOf(node: SchemaNode | undefined): string | undefined {
  return TEXT_FORMATS.filter((format) => format === node?.format).map((format) => FORMS[format])[0];
}

function wantedAt(node: SchemaNode | undefined, kind: string): string {
  const meaning = node?.description ? ` (${meaningOf(node)})` : '';
  return `write ${formOf(node) ?? article(kind)}${meaning}`;
}

function meaningOf(node: SchemaNode | undefined): string {
  const text = node?.description ?? 'see docs/reference/config.md';
  return text.replace(/\.$/, '');
}

function mendOf(params: Readonly<Record<string, unknown>> | undefined): string {
  const mend = params?.mend;
  return typeof mend === 'string' ? mend : 'see docs/reference/config.md';
}

function article(kind: string): string {
  if (kind === 'array') return 'a list';
  if (kind === 'object' || kind === 'record') return 'a map of keys';
  if (kind === 'boolean') return 'true or false';
  return kind === 'int' ? 'a whole number' : `a ${kind === 'string' ? 'text' : kind}`;
}

function amount(origin: string, bound: string, limit: number | bigint): string {
  const unit = origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : '';
  return `must be ${bound} ${limit}${unit}`;
}
