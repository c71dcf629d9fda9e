import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAssumption } from '#cli/hooks/assume.ts';
import { redactHeaders, redactQuery, redactText } from '#producer/intake/redact.ts';
import type { DeliveryItem } from '#producer/webhooks/adapter.ts';
import { adapterOf } from '#producer/webhooks/index.ts';

const FOLDER = join(import.meta.dirname, '../../fixtures/registry-events');
const SAMPLES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.headers.json'))
  .map((name) => name.replace(/\.headers\.json$/, ''));

const json = (name: string) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));

function lowerCase(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The address that confirms a subscription opens something, and goes. */
function withoutConfirmation(items: readonly DeliveryItem[]): readonly object[] {
  return items.map((item) => ('confirm' in item ? { ...item, confirm: undefined } : item));
}

test('every recorded delivery means without its secrets what it meant with them', () => {
  assert.ok(SAMPLES.length > 70);
  for (const name of SAMPLES) {
    const { headers, query = {}, method, auth = {} } = json(`${name}.headers.json`);
    const expected = json(`${name}.expected.json`);
    const adapter = adapterOf(expected.sender);
    assert.ok(adapter, name);
    const { settings } = readAssumption(expected, adapter);
    const secrets = [auth.value, auth.secret, auth.password].filter((one) => typeof one === 'string');
    const bytes = method === 'OPTIONS' ? Buffer.alloc(0) : readFileSync(join(FOLDER, `${name}.json`));
    const sent = { method, headers: lowerCase(headers), query, body: bytes };
    const kept = {
      method,
      headers: redactHeaders(sent.headers, secrets),
      query: redactQuery(query),
      body: Buffer.from(redactText(bytes.toString('latin1'), secrets), 'latin1'),
    };
    const everything = JSON.stringify([kept.headers, kept.query, kept.body.toString('utf8')]);
    for (const secret of secrets) assert.ok(!everything.includes(secret), name);
    const before = withoutConfirmation(adapter.events(sent, settings));
    assert.deepEqual(withoutConfirmation(adapter.events(kept, settings)), before, name);
  }
});
