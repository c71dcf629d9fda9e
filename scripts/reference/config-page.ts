import { configJsonSchema } from '#config/schema.ts';
import { branches, type SchemaNode } from '#config/schema-node.ts';
import { code, page, table } from './markdown.ts';
import { keyRows } from './schema-rows.ts';

const INTRODUCTION = `One YAML file, named by \`--config FILE\`, else by \`ATTESTRY_CONFIG\`, else \`attestry.yaml\` in the current folder.
\`attestry config check\` reads it and lists every problem with line, column, key and mend;
\`attestry config explain IMAGE\` says which rule holds for an image and why.
Editors check it by \`config/config.schema.json\`: put
\`# yaml-language-server: $schema=./config.schema.json\` on the first line.

- **Secrets** never stand in the file. A secret reference is \`env:NAME\` or \`file:/path\`; it is read anew when it is used,
  so a rotated file counts without a restart, and it prints as redacted.
- **Paths** are relative to the configuration file.
- **Durations** are a number and a unit: \`500ms\`, \`30s\`, \`5m\`, \`6h\`, \`7d\`. **Sizes** likewise: \`64MiB\`, \`2GiB\`.
- **Patterns** match the whole text: \`*\` stays within a path segment, \`**\` crosses segments. There are no other wildcards.
- Where a list may stand, a single value may stand instead.
- Unknown keys are errors.

Every key with its default: [config/default.yaml](../../config/default.yaml). One runnable file for each capability:
[config/examples](../../config/examples).`;

/** docs/reference/config.md */
export function configPage(): string {
  const schema = configJsonSchema();
  const sections = Object.entries(schema.properties ?? {}).map(([key, node]) => section(key, node));
  return page('Configuration', INTRODUCTION, ...sections);
}

function section(key: string, node: SchemaNode): string {
  const title = `## ${code(key)}\n\n${node.description ?? ''}`;
  const kinds = node.items ? branches(node.items) : [];
  if (kinds.length > 1) {
    const parts = kinds.map(
      (kind) => `### ${code(`${key}[]`)}: ${code(kindOf(kind))}\n\n${keyTable(kind, `${key}[]`)}`,
    );
    return [title, ...parts].join('\n\n');
  }
  return [title, keyTable(node, key)].filter(Boolean).join('\n\n');
}

function keyTable(node: SchemaNode, prefix: string): string {
  const rows = keyRows(node, prefix);
  if (rows.length === 0) return '';
  return table(['key', 'form', 'default', 'meaning'], rows);
}

/** The constant that tells a kind of entry from its siblings. */
function kindOf(node: SchemaNode): string {
  const constant = Object.entries(node.properties ?? {}).find(([, member]) => member.const !== undefined);
  return constant ? `${constant[0]}: ${constant[1].const}` : '';
}
