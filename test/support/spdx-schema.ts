import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';

const FILE = new URL('../fixtures/spdx/spdx-schema-2.3.json', import.meta.url);

/** Judges documents by the official schema of SPDX 2.3; answers the complaints, none for a valid document. */
export function spdxComplaints(document: unknown): readonly string[] {
  const ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true });
  formats.default(ajv);
  const { $schema: _, ...schema } = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, unknown>;
  const validate = ajv.compile(schema);
  if (validate(JSON.parse(JSON.stringify(document)))) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
