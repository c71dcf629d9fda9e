import * as z from 'zod';
import { duration, HttpUrl, oneOrMore, SecretReference, wholeNumber } from '#model/settings.ts';

const NEEDS_OWNER: readonly string[] = ['quay', 'github', 'dockerhub', 'gar'];
/** What an API has no use for. */
const UNUSED: Readonly<Record<string, readonly ('url' | 'owner' | 'username' | 'secret')[]>> = {
  acr: ['url', 'owner', 'username', 'secret'],
  ecr: ['url', 'owner', 'username', 'secret'],
  gar: ['username', 'secret'],
};

/** How often a registry is looked through for images of which no push was heard, and where in it. */
export const SweepOptions = z.strictObject({
  every: duration('1m', '90d').prefault('6h').describe('How often; at the start too when the last one is older.'),
  repositories: oneOrMore(z.string().min(1).max(255), 1000)
    .exactOptional()
    .describe('Pattern or list: repositories to look through; absent: all.'),
  list: oneOrMore(z.string().min(1).max(255), 100_000)
    .exactOptional()
    .describe('The repositories by name, where the registry does not list them.'),
  api: z
    .strictObject({
      type: z
        .enum(['harbor', 'quay', 'github', 'dockerhub', 'acr', 'ecr', 'gar'])
        .describe('Whose API lists repositories and tags.'),
      url: HttpUrl.exactOptional().describe('Its address; absent: that of the registry, or the public one.'),
      owner: z
        .string()
        .min(1)
        .max(255)
        .exactOptional()
        .describe('Namespace, organization or Google project; Harbor needs none.'),
      username: z.string().min(1).max(255).exactOptional().describe('User or robot; absent: the secret is a token.'),
      secret: SecretReference.exactOptional().describe('Password or token, as a secret reference.'),
    })
    .superRefine((given, context) => {
      const { type, owner } = given;
      const wrong = (path: string, message: string, mend: string) =>
        context.addIssue({ code: 'custom', path: [path], message, params: { mend } });
      if (NEEDS_OWNER.includes(type) && owner === undefined) {
        wrong(
          'owner',
          `${type} lists of one owner`,
          'name the namespace, organization or project that is looked through',
        );
      }
      for (const key of UNUSED[type] ?? []) {
        if (given[key] === undefined) continue;
        wrong(
          key,
          `${type} is asked with the \`credentials\` of the registry, whose name tells where`,
          `take out ${key}`,
        );
      }
    })
    .exactOptional()
    .describe('An API of the provider, where the registry keeps its own list closed.'),
  most: wholeNumber(1, 1_000_000)
    .default(1000)
    .describe('Images enqueued in one sweep at most; what is left waits for the next one.'),
});
export type SweepOptions = z.output<typeof SweepOptions>;
