import * as z from 'zod';
import { azureToken } from '#cloud/azure-credentials.ts';
import type { CloudContext } from '#cloud/context.ts';
import type { Pass } from '#cloud/held-token.ts';
import { retrying } from '#cloud/retry.ts';
import { failureOfStatus, protocolError, serviceError } from '#cloud/service-error.ts';
import { askService, FORM, formBody } from '#cloud/service-request.ts';
import { Secret } from '#model/secret.ts';
import type { Credential } from '#oci/credentials.ts';

/** The audience that every registry takes, also those where tokens of Azure Resource Manager are switched off. */
const RESOURCE = 'https://containerregistry.azure.net';
const TOKEN = z.object({ refresh_token: z.string().min(1).max(16_384) });
const Claims = z.object({ exp: z.number().positive() });
/** Milliseconds that a refresh token is taken for good when it does not say: half of what it lives at Azure. */
const ASSUMED_LIFETIME_MS = 90 * 60_000;

/**
 * A login at Azure Container Registry (Azure/acr, docs/AAD-OAuth.md): the token of Microsoft Entra is changed at the
 * registry itself for a refresh token, which its token server changes for access tokens.
 * @param registry where the registry is dialled: the only host, beside Azure's login server, that gets a token.
 * @param service the registry's name, without a port.
 */
export function acrLogin(context: CloudContext, registry: URL, service: string, caFile: string | undefined) {
  const what = `ACR (${service})`;
  return async (): Promise<Pass<Credential>> =>
    await retrying(context, undefined, async () => {
      const { value } = await azureToken(context, RESOURCE, context.settings.text('SSL_CERT_FILE'), undefined);
      const url = new URL('/oauth2/exchange', registry);
      const tenant = context.settings.text('AZURE_TENANT_ID');
      const fields = {
        grant_type: 'access_token',
        service,
        ...(tenant ? { tenant } : {}),
        access_token: value.reveal(),
      };
      const request = { method: 'POST', url, headers: { 'content-type': FORM }, body: formBody(fields) } as const;
      const answer = await askService(await context.http(url, caFile), request, context.now());
      if (answer.status !== 200) {
        const failure = failureOfStatus(answer.status === 400 ? 401 : answer.status);
        throw serviceError(what, failure, { retryAfterMs: answer.retryAfterMs });
      }
      const read = TOKEN.safeParse(answer.json);
      if (!read.success) throw protocolError(what, 'the answer to the exchange holds no refresh token');
      const { refresh_token } = read.data;
      return {
        value: { kind: 'identity-token', token: new Secret(refresh_token, what) },
        until: endOf(refresh_token) ?? new Date(context.now().getTime() + ASSUMED_LIFETIME_MS),
      };
    });
}

/** Read for renewal alone, so that the signature is nobody's concern here. */
function endOf(jwt: string): Date | undefined {
  try {
    const claims = Claims.safeParse(JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')));
    return claims.success ? new Date(claims.data.exp * 1000) : undefined;
  } catch {
    return undefined;
  }
}
