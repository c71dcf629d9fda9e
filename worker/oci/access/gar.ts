import type { CloudContext } from '#cloud/context.ts';
import { googleToken } from '#cloud/google-credentials.ts';
import type { Pass } from '#cloud/held-token.ts';
import { retrying } from '#cloud/retry.ts';
import type { Credential } from '#oci/credentials.ts';

/** A login at Google Artifact Registry ("Configure authentication to Artifact Registry for Docker": access token). */
export function garLogin(context: CloudContext) {
  return async (): Promise<Pass<Credential>> => {
    const { value, until } = await retrying(context, undefined, () =>
      googleToken(
        context,
        'https://www.googleapis.com/auth/cloud-platform',
        context.settings.text('SSL_CERT_FILE'),
        undefined,
      ),
    );
    return {
      value: { kind: 'basic', username: 'oauth2accesstoken', password: value },
      ...(until ? { until } : {}),
    };
  };
}
