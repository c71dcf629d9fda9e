import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { SKIP_REASONS } from '#model/push-event.ts';
import { ADAPTERS } from '#producer/webhooks/index.ts';
import { MAX_JSON_DEPTH, MAX_MEMBERS } from '#producer/webhooks/limits.ts';

const root = join(import.meta.dirname, '../../..');
const page = await readFile(join(root, 'docs/reference/intake.md'), 'utf8');

test('the reference lists every reason in the order of judgement', () => {
  const section = page.slice(page.indexOf('## Reasons'), page.indexOf('## Too many pushes'));
  const rows = [...section.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)];
  assert.deepEqual(
    rows.map(([, reason]) => reason),
    Object.keys(SKIP_REASONS),
  );
  for (const [, reason, meaning] of rows) {
    assert.ok(meaning?.startsWith(SKIP_REASONS[reason as keyof typeof SKIP_REASONS]), reason);
  }
  assert.ok(section.includes(`${MAX_JSON_DEPTH} levels of JSON, ${MAX_MEMBERS} members`));
});

test('the reference gives the answers of every sender', () => {
  for (const { id, answers } of ADAPTERS) {
    const { accepted, skipped, malformed, rejected, unauthenticated } = answers;
    const row = `| \`${id}\` | ${[accepted, skipped, malformed, rejected, unauthenticated, 503].join(' | ')} |`;
    assert.ok(page.includes(row), row);
  }
});
