import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';
import type { Credential } from '#producer/intake/credential.ts';
import type { Outbound } from '#producer/intake/ports.ts';
import { snsHost } from '#producer/webhooks/sns-message.ts';

/** Bytes of a certificate, a set of keys or a confirmation. Each is a few KiB. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** Milliseconds until the answer begins: a sender waits for ours, mostly no longer than this. */
const TIMEOUT_MS = 4_000;

/** The hosts that authenticating these sources may need, and no others: SNS where its topics are, the token issuer. */
export function outboundHosts(credentials: readonly Credential[]): readonly string[] {
  const hosts = credentials.flatMap((credential) => {
    if (credential.kind === 'oidc') return [`${credential.jwks.hostname}:443`];
    if (credential.kind !== 'sns-signature') return [];
    return credential.topicArns.flatMap((arn) => snsHost(arn) ?? []).map((host) => `${host}:443`);
  });
  return [...new Set(hosts)];
}

/** The intake's few requests, through a client that was made for those hosts. It follows no redirect. */
export function createIntakeOutbound(client: HttpClient): Outbound {
  return {
    async get(url) {
      const signal = AbortSignal.timeout(TIMEOUT_MS * 2);
      const response = await client.request({ method: 'GET', url, headersTimeoutMs: TIMEOUT_MS, signal });
      if (response.status !== 200) {
        response.body.destroy();
        throw new AppError('network', `${url.host} answered ${response.status} where 200 is wanted`);
      }
      return await response.bytes(MAX_ANSWER_BYTES);
    },
  };
}
