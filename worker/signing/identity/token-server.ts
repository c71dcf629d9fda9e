import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';
import { askPeer, type Peer, type PeerRequest, parseJson } from '#signing/peer.ts';

const MAX_ANSWER_BYTES = 256 * 1024;

export interface TokenServer {
  /** In messages. */
  readonly name: string;
  readonly http: HttpClient;
  readonly timeoutMs: number;
  now(): Date;
}

const CODES: Peer['codes'] = {
  refused: 'identity-token-refused',
  unavailable: 'identity-token-unavailable',
  throttled: 'identity-token-throttled',
  protocol: 'identity-token-unavailable',
};

/**
 * Asks a server of tokens, and reads the JSON object that it answers.
 * @throws AppError `identity-token-refused`, `identity-token-unavailable`, `identity-token-throttled`, `network`,
 * `timeout`.
 */
export async function askTokenServer(
  { name, ...server }: TokenServer,
  request: Omit<PeerRequest, 'expect' | 'maxBytes'>,
): Promise<Readonly<Record<string, unknown>>> {
  const peer: Peer = { ...server, name, codes: CODES };
  const headers = { accept: 'application/json', ...request.headers };
  const { bytes } = await askPeer(peer, { ...request, headers, expect: [200], maxBytes: MAX_ANSWER_BYTES });
  const json = parseJson(bytes.toString('utf8'));
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json };
  throw new AppError('identity-token-unavailable', `${name} did not answer with a JSON object`);
}
