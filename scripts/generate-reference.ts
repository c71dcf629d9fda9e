import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configJsonSchema } from '#config/schema.ts';
import { errorsPage, metricsPage, reasonsPage } from './reference/catalogue-pages.ts';
import { cliPage } from './reference/cli-page.ts';
import { configPage } from './reference/config-page.ts';
import { eventsPage } from './reference/events-page.ts';
import { interopPage } from './reference/interop-page.ts';
import { lintsPage } from './reference/lints-page.ts';
import { SENDER_PAGES } from './reference/sender-pages.ts';

/** What is made from the schema and the catalogues, by its path in the project; a test compares it with the files. */
export const GENERATED: Readonly<Record<string, () => string>> = {
  'config/config.schema.json': () => `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
  'docs/reference/cli.md': cliPage,
  'docs/reference/config.md': configPage,
  'docs/reference/events.md': eventsPage,
  'docs/reference/errors.md': errorsPage,
  'docs/reference/reasons.md': reasonsPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/reference/policy-lint.md': lintsPage,
  'docs/reference/interop-matrix.md': interopPage,
  ...SENDER_PAGES,
};

const ROOT = join(import.meta.dirname, '..');

if (import.meta.main) {
  for (const [path, make] of Object.entries(GENERATED)) writeFileSync(join(ROOT, path), make());
  // The formatter decides how JSON is broken into lines.
  execFileSync(join(ROOT, 'node_modules/.bin/biome'), ['format', '--write', 'config/config.schema.json'], {
    cwd: ROOT,
  });
}
