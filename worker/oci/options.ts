import * as z from 'zod';
import { OwnBudget } from '#model/budget.ts';
import {
  exactlyOneForm,
  FilePath,
  FolderPath,
  HttpUrl,
  Id,
  oneOrMore,
  RegistryName,
  SecretReference,
} from '#model/settings.ts';

export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly token: string }
  | { readonly dockerConfig: string };

const Credentials = z
  .strictObject({
    username: z
      .string()
      .min(1)
      .max(255)
      .exactOptional()
      .describe('User of basic authentication or of the token server.'),
    password: SecretReference.exactOptional().describe('Password of that user, as a secret reference.'),
    token: SecretReference.exactOptional().describe('A registry token, sent as it is (Bearer), as a secret reference.'),
    dockerConfig: FilePath.exactOptional().describe("Docker's config.json; its credential helpers are used as well."),
  })
  .superRefine(exactlyOneForm([['username', 'password'], ['token'], ['dockerConfig']]))
  .transform((given): RegistryCredentials => {
    const { username, password, token, dockerConfig } = given;
    if (token !== undefined) return { token };
    if (dockerConfig !== undefined) return { dockerConfig };
    return { username: username ?? '', password: password ?? '' };
  });

const ProxyCredentials = z.strictObject({
  username: z.string().min(1).max(255).describe('User at the proxy.'),
  password: SecretReference.describe('Password of that user, as a secret reference.'),
});

/** What a folder has no use for. */
const NETWORK_KEYS = ['address', 'ca', 'proxy', 'plainHttp', 'credentials'] as const;

/** One registry: what it is called, where it is dialled, and how. */
export const RegistryOptions = z
  .strictObject({
    id: Id.exactOptional().describe('How sources name this registry; the name when absent.'),
    name: RegistryName.describe('How references, policies and statements say it: host or host:port.'),
    address: RegistryName.exactOptional().describe('What is dialled when it differs from the name: host or host:port.'),
    directory: FolderPath.exactOptional().describe(
      'Folder of OCI image layouts in the place of a server: the repository `team/app` is the layout `team/app` in it.',
    ),
    aliases: oneOrMore(RegistryName, 100, 0)
      .prefault([])
      .describe('Other hosts by which references call this registry.'),
    ca: FilePath.exactOptional().describe("PEM file of the CA that signed the registry's certificate."),
    proxy: HttpUrl.exactOptional().describe('HTTP proxy to reach it through.'),
    proxyCredentials: ProxyCredentials.exactOptional().describe('What the proxy asks for, read at the start.'),
    plainHttp: z
      .boolean()
      .exactOptional()
      .describe('Dial without TLS. Loopback addresses are dialled without TLS unless this is false.'),
    immutableTags: z
      .boolean()
      .exactOptional()
      .describe('Whether its tags cannot be written again: then evidence lives there in bundles alone.'),
    budget: OwnBudget.exactOptional().describe('What all workers together may ask of it; absent: worker.budgets.'),
    credentials: Credentials.exactOptional().describe("Absent: anonymous, or what Docker's own configuration holds."),
  })
  .superRefine(({ proxy, proxyCredentials }, context) => {
    if (proxyCredentials === undefined || proxy !== undefined) return;
    const mend = 'name the proxy, or take the credentials out';
    const message = 'credentials for a proxy that is not named';
    context.addIssue({ code: 'custom', path: ['proxyCredentials'], message, params: { mend } });
  })
  .superRefine((given, context) => {
    const { directory } = given;
    if (directory === undefined) return;
    for (const key of NETWORK_KEYS) {
      if (given[key] === undefined) continue;
      const message = `${key} is for a registry that is dialled, and this one is a folder`;
      context.addIssue({ code: 'custom', path: [key], message, params: { mend: `take out ${key} or directory` } });
    }
  })
  .transform(({ id, ...rest }) => ({ id: id ?? rest.name, ...rest }));
export type RegistryOptions = z.output<typeof RegistryOptions>;
