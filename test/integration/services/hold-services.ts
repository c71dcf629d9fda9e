// Started by a test: runs the local services in the folder given, tells where they are, and waits to be killed.
import process from 'node:process';
import { startLocalServices } from '#cli/services.ts';

const services = await startLocalServices({
  dir: process.argv[2] ?? '',
  path: process.env.PATH ?? '',
  log: () => undefined,
});
process.stdout.write(JSON.stringify({ redis: services.redis?.url, registry: services.registry?.host }));
