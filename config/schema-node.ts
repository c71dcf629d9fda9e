import type { Path } from '#config/problem.ts';

/** The parts of a JSON Schema that the loader walks by. */
export interface SchemaNode {
  readonly title?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

/** The alternatives of a node; the node itself when it has none. */
export function branches(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? node.oneOf ?? [node];
}

/** The alternative that a value is meant as: of its type, and with the constants that it spells out. */
export function branchFor(node: SchemaNode, value: unknown): SchemaNode | undefined {
  const kind = kindOf(value);
  const fitting = branches(node).filter((branch) => branch.type === kind);
  return fitting.find((branch) => constantsAgree(branch, value)) ?? (fitting.length === 1 ? fitting[0] : undefined);
}

/** The node at a path of a value; undefined where the schema knows no such place. */
export function nodeAt(root: SchemaNode, raw: unknown, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  let value = raw;
  for (const part of path) {
    const branch: SchemaNode | undefined = node && branchFor(node, value);
    node = branch && childOf(branch, part);
    value = memberOf(value, part);
  }
  return node;
}

export function childOf(node: SchemaNode, part: string | number): SchemaNode | undefined {
  if (typeof part === 'number') return node.items;
  const own = node.properties && Object.hasOwn(node.properties, part) ? node.properties[part] : undefined;
  return own ?? (typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined);
}

/** The member of plain data; undefined when there is none. */
export function memberOf(value: unknown, part: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
  return (value as Record<string | number, unknown>)[part];
}

export function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce((value, part) => memberOf(value, part), raw);
}

function constantsAgree(branch: SchemaNode, value: unknown): boolean {
  return Object.entries(branch.properties ?? {}).every(([key, member]) => {
    return member.const === undefined || member.const === memberOf(value, key);
  });
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return value === null ? 'null' : typeof value;
}
