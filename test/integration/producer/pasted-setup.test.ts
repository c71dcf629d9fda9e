import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createHttpClient } from '#http/undici-client.ts';
import { sha256 } from '#model/digest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '#model/media-types.ts';
import { ANONYMOUS } from '#oci/credentials.ts';
import { createRegistryTarget } from '#oci/registry-target.ts';
import { type HooksGround, startHooksGround } from '../../support/hooks-ground.ts';
import { freePort, startRegistry, type TestRegistry } from '../../support/registry.ts';
import { until } from '../../support/worker-setup.ts';

const TOKEN = 'token "with" all: that {yaml} #minds';

let ground: HooksGround;
let registry: TestRegistry;

before(async () => {
  const port = await freePort();
  ground = await startHooksGround(
    `
registries:
  - { id: main, name: registry.example.com, address: "localhost:${port}" }
sources:
  - { id: hub, sender: distribution, registry: main, auth: { header: X-Attestry, value: env:HUB_TOKEN } }
producer: { deliveries: { keep: all } }
`,
    { HUB_TOKEN: TOKEN },
  );
  const { code, out, err } = await ground.hooks(
    'setup',
    'hub',
    '--url',
    ground.producer.url,
    '--show-secret',
    '--json',
  );
  assert.equal(code, 0, err);
  const [first] = JSON.parse(out).paste;
  // The text that the terminal shows is this very text.
  const shown = await ground.hooks('setup', 'hub', '--url', ground.producer.url, '--show-secret');
  assert.ok(shown.out.includes(first.text));
  registry = await startRegistry({ port, pasted: first.text });
});
after(async () => {
  await registry?.stop();
  await ground[Symbol.asyncDispose]();
});

test('a real registry with what hooks setup prints notifies the producer, and its push is enqueued', async () => {
  const client = createHttpClient({ allowedHosts: [registry.host], userAgent: 'test' });
  const { host: name, url: baseUrl } = registry;
  const target = createRegistryTarget({ name, baseUrl, client, credentials: ANONYMOUS, now: () => new Date() });
  const config = await target.pushBlob('team/app', Buffer.from('{}'), OCI_CONFIG);
  const layer = await target.pushBlob('team/app', Buffer.from('a layer'), OCI_LAYER_GZIP);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] }));
  await target.pushManifest('team/app', '1.0', bytes, OCI_MANIFEST);
  await client.close();
  const wanted = `registry.example.com/team/app:1.0@${sha256(bytes)}`;
  let id = '';
  await until('the push was accepted and kept', async () => {
    const { out } = await ground.hooks('deliveries', '--json');
    const found = (JSON.parse(out) as { id: string; result: string }[]).find(({ result }) => result === 'accepted');
    id = found?.id ?? '';
    return found !== undefined;
  });
  // As the registry sent it, once more: the job waits already.
  const { out } = await ground.hooks('replay', id);
  assert.match(out, /duplicate|waiting/);
  const shown = await ground.hooks('show', id);
  assert.ok(shown.out.includes(wanted), shown.out);
  assert.ok(!shown.out.includes(TOKEN));
  assert.match(shown.out, /1 enqueued/);
});
