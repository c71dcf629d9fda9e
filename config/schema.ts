import * as z from 'zod';
import { WorkerOptions } from '#config/worker.ts';
import { RuleOptions } from '#engine/options.ts';
import { InstanceOptions } from '#events/options.ts';
import { LedgerOptions } from '#ledger/options.ts';
import { RegistryOptions } from '#oci/options.ts';
import { PolicyOptions } from '#policy/options.ts';
import { SourceOptions } from '#producer/intake/options.ts';
import { ProducerOptions } from '#producer/options.ts';
import { ReconcileOptions } from '#reconcile/options.ts';
import { RedisOptions } from '#redis/options.ts';
import { SbomOptions } from '#sbom/options.ts';
import { SignerOptions } from '#signing/options.ts';
import { SinkOptions } from '#sinks/options.ts';
import { LogOptions } from '#telemetry/options.ts';
import { TrustOptions } from '#trust/options.ts';

function section<T extends z.ZodType>(item: T, most: number, meaning: string) {
  return z.array(item).max(most).default([]).describe(meaning);
}

/**
 * The whole configuration: each room's slice under its key. Durations are milliseconds and sizes bytes once parsed;
 * secrets stay references until somebody asks for their value.
 */
export const Config = z.strictObject({
  version: z.literal(1).describe('Version of this format.'),
  instance: InstanceOptions.prefault({}).describe('How this installation names itself.'),
  redis: RedisOptions.prefault({}).describe('The Redis that holds queue and ledger: 6.2 or newer, noeviction, AOF.'),
  registries: section(RegistryOptions, 1000, 'The registries that are served. No other one is ever dialled.'),
  signers: section(SignerOptions, 100, 'What evidence is signed with.'),
  trusts: section(TrustOptions, 100, 'Whose evidence counts as present beside our own.'),
  policies: section(PolicyOptions, 1000, 'The policies that images are verified against.'),
  rules: section(RuleOptions, 1000, 'Which images get which evidence. First match wins; without a match, nothing.'),
  sources: section(SourceOptions, 1000, 'Who may send push notifications.'),
  sinks: section(SinkOptions, 100, 'Where events and alerts go.'),
  producer: ProducerOptions.prefault({}).describe('The process that takes notifications.'),
  worker: WorkerOptions.prefault({}).describe('The process that attests and verifies.'),
  reconcile: ReconcileOptions.prefault({}).describe('What happens without a push, and when.'),
  ledger: LedgerOptions.prefault({}).describe('What is kept about each image.'),
  sbom: SbomOptions.prefault({}).describe('How SBOMs are made.'),
  log: LogOptions.prefault({}).describe('The log on standard error.'),
});
/** The configuration after parsing. */
export type Config = Readonly<z.output<typeof Config>>;

/** The JSON Schema of the file as a person writes it, for editors and for the reference. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { ...z.toJSONSchema(Config, { io: 'input' }), title: 'Attestry configuration' };
}
