import type { CommandEntry } from '#cli/command.ts';

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'start',
    summary: 'run everything on this machine with embedded defaults and show the whole job once',
    load: async () => (await import('#cli/commands/start.ts')).startCommand,
  },
  {
    name: 'attest',
    summary: 'make, sign and attach the evidence that an image lacks',
    load: async () => (await import('#cli/commands/attest.ts')).attestCommand,
  },
  {
    name: 'verify',
    summary: 'judge an image under policies, or under a key or CA',
    load: async () => (await import('#cli/commands/verify.ts')).verifyCommand,
  },
  {
    name: 'sbom',
    summary: 'print the SBOM of an image',
    load: async () => (await import('#cli/commands/sbom.ts')).sbomCommand,
  },
  {
    name: 'copy',
    summary: 'copy images with all their evidence to another repository, registry or folder',
    load: async () => (await import('#cli/commands/copy.ts')).copyCommand,
  },
  {
    name: 'certificate',
    summary: 'lint, request or plan the rotation of a signing certificate',
    load: async () => (await import('#cli/commands/certificate.ts')).certificateCommand,
  },
  {
    name: 'policy',
    summary: 'lint policies: what is certainly wrong with them, and how it is mended',
    load: async () => (await import('#cli/commands/policy.ts')).policyCommand,
  },
  {
    name: 'config',
    summary: 'check a configuration, explain which rule holds for an image',
    load: async () => (await import('#cli/commands/config.ts')).configCommand,
  },
  {
    name: 'registry',
    summary: 'ask a registry what evidence can live there, or print what workers learnt of theirs',
    load: async () => (await import('#cli/commands/registry.ts')).registryCommand,
  },
  {
    name: 'hooks',
    summary: 'set senders up, try them, look at deliveries and replay them',
    load: async () => (await import('#cli/commands/hooks.ts')).hooksCommand,
  },
  {
    name: 'backfill',
    summary: 'attest what registries already hold: plan, run, pause, resume',
    load: async () => (await import('#cli/commands/backfill.ts')).backfillCommand,
  },
  {
    name: 'sweep',
    summary: 'look registries through for images of which no push was heard',
    load: async () => (await import('#cli/commands/sweep.ts')).sweepCommand,
  },
  {
    name: 'reverify',
    summary: 'make images due for re-verification now',
    load: async () => (await import('#cli/commands/reverify.ts')).reverifyCommand,
  },
  {
    name: 'dead-letters',
    summary: 'list, replay or drop jobs that could not succeed',
    load: async () => (await import('#cli/commands/dead-letters.ts')).deadLettersCommand,
  },
  {
    name: 'producer',
    summary: 'run the webhook receiver and API',
    load: async () => (await import('#cli/commands/producer.ts')).producerCommand,
  },
  {
    name: 'worker',
    summary: 'run a worker',
    load: async () => (await import('#cli/commands/worker.ts')).workerCommand,
  },
  {
    name: 'serve',
    summary: 'run producer and worker in one process',
    load: async () => (await import('#cli/commands/serve.ts')).serveCommand,
  },
];
