import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';

const FOLDER = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json')),
  'res/schema',
);

/** Judges documents by the strict schema of CycloneDX 1.6; answers the complaints, none for a valid document. */
export async function strictCycloneDx(): Promise<(document: unknown) => readonly string[]> {
  // The options under which the authors of the schema compile it.
  const ajv = new Ajv({ strict: false, validateSchema: true, addUsedSchema: false, allErrors: true });
  formats.default(ajv);
  // Formats that ajv-formats lacks: internationalised forms of ones that it has.
  ajv.addFormat('iri-reference', (text: string) => URL.canParse(text, 'https://base.example/'));
  ajv.addFormat('idn-email', /^[^@\s]+@[^@\s]+$/);
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json']) {
    ajv.addSchema(await schema(name), `http://cyclonedx.org/schema/${name}`);
  }
  const validate = ajv.compile(await schema('bom-1.6.SNAPSHOT.schema.json'));
  return (document) =>
    validate(JSON.parse(JSON.stringify(document)))
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

async function schema(name: string): Promise<object> {
  return JSON.parse(await readFile(path.join(FOLDER, name), 'utf8'));
}
