import { createHttpClient } from '#http/undici-client.ts';
import { ANONYMOUS } from '#oci/credentials.ts';
import { createRegistryTarget } from '#oci/registry-target.ts';
import { testTarget } from '../../contracts/target.ts';
import { startRegistry } from '../../support/registry.ts';

testTarget('registry', async () => {
  const registry = await startRegistry();
  const client = createHttpClient({ allowedHosts: [registry.host], userAgent: 'attestry-test' });
  const target = createRegistryTarget({
    name: registry.host,
    baseUrl: registry.url,
    client,
    credentials: ANONYMOUS,
    now: () => new Date(),
  });
  return {
    target,
    async dispose() {
      await client.close();
      await registry.stop();
    },
  };
});
