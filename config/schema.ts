import * as z from 'zod';
import type { SchemaNode } from '#config/schema-node.ts';
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
import { SignerOptions, WitnessOptions } from '#signing/options.ts';
import { SinkOptions } from '#sinks/options.ts';
import { LogOptions } from '#telemetry/options.ts';
import { TrustOptions } from '#trust/options.ts';

/** The lists of the configuration, by key: the schema of one entry each. */
export const LISTS = {
  registries: RegistryOptions,
  witnesses: WitnessOptions,
  signers: SignerOptions,
  trusts: TrustOptions,
  policies: PolicyOptions,
  rules: RuleOptions,
  sources: SourceOptions,
  sinks: SinkOptions,
} as const;
export type ListKey = keyof typeof LISTS;

function list<T extends z.ZodType>(entry: T, most: number, meaning: string) {
  return z.array(entry).max(most).default([]).describe(meaning);
}

/**
 * The whole configuration: each room's slice under its key. Durations are milliseconds and sizes bytes once parsed;
 * secrets stay references until somebody asks for their value.
 */
export const Config = z.strictObject({
  version: z.literal(1).describe('Version of this format: 1.'),
  instance: InstanceOptions.prefault({}).describe('How this installation names itself.'),
  offline: z.boolean().default(false).describe('Refuses whatever would reach anything but Redis and the registries.'),
  redis: RedisOptions.prefault({}).describe('The Redis that holds queue and ledger: 6.2 or newer, noeviction, AOF.'),
  registries: list(LISTS.registries, 1000, 'The registries that are served. No other one is ever dialled.'),
  witnesses: list(LISTS.witnesses, 100, 'Logs and timestamp authorities that testify to signatures.'),
  signers: list(LISTS.signers, 100, 'What evidence is signed with.'),
  trusts: list(LISTS.trusts, 100, 'Whose evidence counts as present beside our own.'),
  policies: list(LISTS.policies, 1000, 'The policies that images are verified against.'),
  rules: list(LISTS.rules, 1000, 'Which images get which evidence. First match wins; without a match, nothing.'),
  sources: list(LISTS.sources, 1000, 'Who may send push notifications.'),
  sinks: list(LISTS.sinks, 100, 'Where events and alerts go.'),
  producer: ProducerOptions.prefault({}).describe('The process that takes notifications.'),
  worker: WorkerOptions.prefault({}).describe('The process that attests and verifies.'),
  reconcile: ReconcileOptions.prefault({}).describe('What happens without a push, and when.'),
  ledger: LedgerOptions.prefault({}).describe('What is kept about each image.'),
  sbom: SbomOptions.prefault({}).describe('How SBOMs are made.'),
  log: LogOptions.prefault({}).describe('The log on standard error.'),
});
/** The configuration after parsing. */
export type Config = Readonly<z.output<typeof Config>>;

/** The JSON Schema of the file as a person writes it, for editors, the reference and the loader's own walk. */
export function configJsonSchema(): SchemaNode {
  return { ...(z.toJSONSchema(Config, { io: 'input' }) as SchemaNode), title: 'Attestry configuration' };
}
