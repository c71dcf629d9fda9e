import * as z from 'zod';
import { byteSize, Id, oneOrMore, SecretReference } from '#model/settings.ts';

/** One bearer of the API: its name is the actor of the jobs that it asks for. */
export interface ApiToken {
  readonly name: string;
  /** Secret references; any of them counts, for rotation. */
  readonly secrets: readonly string[];
}

const Token = z
  .union([
    SecretReference,
    z.strictObject({
      name: Id.describe('Who bears it: the actor in `when`.'),
      token: oneOrMore(SecretReference, 4).describe('The token, as a secret reference; a list while it is rotated.'),
    }),
  ])
  .transform((given): ApiToken => {
    if (typeof given === 'string') return { name: 'api', secrets: [given] };
    return { name: given.name, secrets: given.token };
  });

/** Who may call the API. Without tokens its routes are not there. */
export const ApiOptions = z.strictObject({
  tokens: z
    .array(Token)
    .max(100)
    .default([])
    .describe('May ask for images and hand in statements: POST /v1/images, POST /v1/attestations. For CI.'),
  handInPerHour: byteSize('4MiB', '64GiB')
    .prefault('256MiB')
    .describe('Statements that the bearer of one token may hand in within an hour; a small one counts as 16 KiB.'),
  operators: z
    .array(Token)
    .max(100)
    .default([])
    .describe('May also read states and history, ask for re-verification and replay dead letters.'),
});
export type ApiOptions = z.output<typeof ApiOptions>;
