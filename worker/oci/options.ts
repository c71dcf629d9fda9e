import * as z from 'zod';
import { OwnBudget } from '#model/budget.ts';
import {
  exactlyOneForm,
  FilePath,
  FolderPath,
  HttpUrl,
  Id,
  KeyAccess,
  oneOrMore,
  RegistryName,
  SecretReference,
  wholeNumber,
} from '#model/settings.ts';
import { SweepOptions } from '#model/sweep-options.ts';

export type RegistryCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly token: string }
  | { readonly dockerConfig: string }
  | { readonly provider: CloudProvider; readonly access: Readonly<Record<string, string>> }
  | { readonly githubApp: GithubApp };

/** Clouds whose registries change an identity of theirs for a token of some hours. */
const CLOUD_PROVIDERS = ['ecr', 'ecr-public', 'acr', 'gar'] as const;
export type CloudProvider = (typeof CLOUD_PROVIDERS)[number];

const GithubApp = z.strictObject({
  clientId: z
    .string()
    .regex(/^[A-Za-z0-9.]{1,64}$/, 'not the client id or app id of a GitHub App')
    .describe('Client id of the app, or its app id.'),
  installationId: wholeNumber(1, Number.MAX_SAFE_INTEGER).describe('Installation of the app in the organization.'),
  privateKey: SecretReference.describe('Private key of the app (PEM), as a secret reference.'),
  api: HttpUrl.default('https://api.github.com').describe('The API; of GitHub Enterprise Server: https://HOST/api/v3.'),
});
export type GithubApp = z.output<typeof GithubApp>;

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
    provider: z
      .enum(CLOUD_PROVIDERS)
      .exactOptional()
      .describe('The cloud of the registry: its tokens are got and renewed with the identity of this workload.'),
    access: KeyAccess.exactOptional().describe(
      'Settings of that identity by the names of their environment variables; what is absent comes from the environment.',
    ),
    githubApp: GithubApp.exactOptional().describe('An app of GitHub whose installation tokens open its registry.'),
  })
  .superRefine(exactlyOneForm([['username', 'password'], ['token'], ['dockerConfig'], ['provider'], ['githubApp']]))
  .superRefine(({ provider, access }, context) => {
    if (access === undefined || provider !== undefined) return;
    const mend = 'write provider beside it, or take it out';
    context.addIssue({ code: 'custom', path: ['access'], message: 'access without provider', params: { mend } });
  })
  .transform((given): RegistryCredentials => {
    const { username, password, token, dockerConfig, provider, access = {}, githubApp } = given;
    if (provider !== undefined) return { provider, access };
    if (githubApp !== undefined) return { githubApp };
    if (token !== undefined) return { token };
    if (dockerConfig !== undefined) return { dockerConfig };
    return { username: username ?? '', password: password ?? '' };
  });

const ProxyCredentials = z.strictObject({
  username: z.string().min(1).max(255).describe('User at the proxy.'),
  password: SecretReference.describe('Password of that user, as a secret reference.'),
});

/** APIs of a cloud beside the registry, which know identities and no logins of the registry. */
const OF_THE_CLOUD: readonly string[] = ['ecr', 'gar'];

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
    sweep: SweepOptions.exactOptional().describe('How it is looked through for pushes that nobody told; absent: not.'),
    credentials: Credentials.exactOptional().describe("Absent: anonymous, or what Docker's own configuration holds."),
  })
  .superRefine(({ proxy, proxyCredentials }, context) => {
    if (proxyCredentials === undefined || proxy !== undefined) return;
    const mend = 'name the proxy, or take the credentials out';
    const message = 'credentials for a proxy that is not named';
    context.addIssue({ code: 'custom', path: ['proxyCredentials'], message, params: { mend } });
  })
  .superRefine(({ sweep, credentials }, context) => {
    const type = sweep?.api?.type;
    if (type === undefined || !OF_THE_CLOUD.includes(type)) return;
    if (credentials !== undefined && 'provider' in credentials && credentials.provider === type) return;
    const message = `the API of ${type} is asked with the identity that opens the registry`;
    const params = { mend: `give the registry \`credentials: { provider: ${type} }\`` };
    context.addIssue({ code: 'custom', path: ['sweep', 'api', 'type'], message, params });
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
