import { MAX_OCSP_BYTES } from '#crypto/ocsp-response.ts';
import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';

/** Carries a question to a responder. */
export interface OcspClient {
  /**
   * @param form `post`, or `get`, which caches on the way may answer (RFC 5019, 5)
   * @throws AppError of the exchange; nothing of the answer is looked at.
   */
  ask(responder: string, request: Uint8Array, form: 'get' | 'post', signal?: AbortSignal): Promise<Uint8Array>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const WHOLE_TIMEOUT_MS = 20_000;
/** A longer address goes by POST (RFC 5019, 5). */
const MAX_GET = 255;

/** @param client made for the hosts that may be asked, and no others. It follows no redirect. */
export function createOcspClient(client: HttpClient): OcspClient {
  return {
    async ask(responder, request, form, signal) {
      if (!URL.canParse(responder)) throw new AppError('ocsp-unreadable', 'its address is no URL');
      const timeout = AbortSignal.timeout(WHOLE_TIMEOUT_MS);
      const response = await client.request({
        ...exchange(new URL(responder), request, form),
        headersTimeoutMs: HEADERS_TIMEOUT_MS,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      if (response.status !== 200) {
        response.body.destroy();
        throw new AppError('network', `its server answered ${response.status} where 200 is wanted`);
      }
      return await response.bytes(MAX_OCSP_BYTES);
    },
  };
}

function exchange(responder: URL, request: Uint8Array, form: 'get' | 'post') {
  const accept = 'application/ocsp-response';
  const address = getAddress(responder, request);
  if (form === 'get' && address.href.length <= MAX_GET) {
    return { method: 'GET', url: address, headers: { accept } } as const;
  }
  const headers = { accept, 'content-type': 'application/ocsp-request', 'content-length': `${request.length}` };
  return { method: 'POST', url: responder, headers, body: request } as const;
}

function getAddress(responder: URL, request: Uint8Array): URL {
  const address = new URL(responder);
  const question = encodeURIComponent(Buffer.from(request).toString('base64'));
  address.pathname = `${responder.pathname.replace(/\/$/, '')}/${question}`;
  return address;
}
