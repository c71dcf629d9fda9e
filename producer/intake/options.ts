import * as z from 'zod';
import { exactlyOneForm, Id, oneOrMore, Pattern, SecretReference, wholeNumber } from '#model/settings.ts';

/** How the deliveries of a source prove who sent them. Lists: any of the secrets counts, for rotation. */
export type SourceAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly secrets: readonly string[] }
  | { readonly kind: 'basic'; readonly username: string; readonly passwords: readonly string[] }
  | { readonly kind: 'static-header'; readonly header: string; readonly secrets: readonly string[] };

const secrets = oneOrMore(SecretReference, 4);

const Credential = z
  .strictObject({
    bearer: secrets.exactOptional().describe('Token of an Authorization: Bearer header; a list while it is rotated.'),
    basic: z
      .strictObject({
        username: z.string().min(1).max(255).describe('User name.'),
        password: secrets.describe('Password, as a secret reference; a list while it is rotated.'),
      })
      .exactOptional()
      .describe('Basic authentication.'),
    header: z
      .string()
      .regex(/^[A-Za-z0-9-]{1,64}$/, 'not a header name')
      .exactOptional()
      .describe('Name of a header that holds a secret.'),
    value: secrets.exactOptional().describe('The whole value of that header; a list while it is rotated.'),
  })
  .superRefine(exactlyOneForm([['bearer'], ['basic'], ['header', 'value']]))
  .transform(({ bearer, basic, header, value }): SourceAuth => {
    if (bearer !== undefined) return { kind: 'bearer', secrets: bearer };
    if (basic !== undefined) return { kind: 'basic', username: basic.username, passwords: basic.password };
    return { kind: 'static-header', header: (header ?? '').toLowerCase(), secrets: value ?? [] };
  });

const None = z.literal('none').transform((): SourceAuth => ({ kind: 'none' }));

const source = {
  id: Id.describe('Last part of the path: POST /hooks/<id>. Also the source in `when`.'),
  auth: z
    .union([None, Credential])
    .describe('How a delivery proves itself. none has to be written out: then anyone may name images to look at.'),
  digestOnly: z
    .enum(['skip', 'enqueue'])
    .default('skip')
    .describe('What becomes of pushes without a tag: mostly platform images and signatures.'),
  attestationTagSuffixes: z
    .array(z.string().regex(/^\.?[A-Za-z0-9._-]{1,32}$/, 'not a tag suffix'))
    .max(32)
    .default([])
    .describe('Suffixes beside .sig, .att and .sbom that make sha256-<digest> a tag of signatures, never an image.'),
  ignoreActors: oneOrMore(Pattern, 100, 0)
    .prefault([])
    .describe('Pushes of these actors are skipped. Off by default: a robot that also pushes images would be missed.'),
  ratePerHour: wholeNumber(1, 1_000_000)
    .default(600)
    .describe('Pushes to one repository in an hour beyond which jobs are held back and an alert is raised.'),
};

// A registry without an id is called by its name, which may hold a port.
const registryKey = z.string().min(1).max(255);

const DistributionSource = z.strictObject({
  ...source,
  sender: z.literal('distribution').describe('Notifications of CNCF Distribution.'),
  registry: registryKey.describe('Id of the registry that it speaks for; no other host is believed.'),
});

const GenericSource = z.strictObject({
  ...source,
  sender: z.literal('generic').describe('The plain JSON body of the API, and CloudEvents.'),
  registries: oneOrMore(registryKey, 100).describe('Ids of the registries that it may name.'),
});

/** One sender of push notifications; both kinds name the registries that they are bound to. */
export const SourceOptions = z.discriminatedUnion('sender', [DistributionSource, GenericSource]).transform((given) => {
  if (given.sender === 'generic') return given;
  const { registry, ...rest } = given;
  return { ...rest, registries: [registry] };
});
export type SourceOptions = z.output<typeof SourceOptions>;
