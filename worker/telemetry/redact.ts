/**
 * Members whose value never reaches a log, wherever they occur: pino takes paths, so each is named at the depths at
 * which objects of ours and of the libraries carry it. Secrets of our own configuration are boxed besides.
 */
const NAMES = [
  'password',
  'passwd',
  'secret',
  'token',
  'authorization',
  '["proxy-authorization"]',
  'cookie',
  '["set-cookie"]',
  '["x-api-key"]',
  'apiKey',
  'privateKey',
  'passphrase',
  'credential',
  'credentials',
] as const;

const DEPTHS = ['', '*.', '*.*.', 'req.headers.', 'err.', 'err.config.', 'err.headers.'] as const;

export const REDACTED_PATHS: readonly string[] = DEPTHS.flatMap((depth) =>
  NAMES.map((name) => (name.startsWith('[') ? `${depth.replace(/\.$/, '')}${name}` : `${depth}${name}`)),
);

/** Credentials inside URLs and headers of free text: error messages of libraries carry them. */
export function redactText(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*:?[^\s/@]*@/gi, '$1[redacted]@')
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/g, '$1 [redacted]')
    .replace(/([?&](?:token|access_token|password|secret|sig|signature|code)=)[^&\s]+/gi, '$1[redacted]');
}
