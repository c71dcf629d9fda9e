/** How a base64 text was written: verifiers differ in what they take. */
export interface Base64Form {
  readonly alphabet: 'standard' | 'url-safe';
  readonly padded: boolean;
  /** Line ends stand inside the text. */
  readonly lineEnds: boolean;
}

export interface DecodedBase64 extends Base64Form {
  readonly bytes: Buffer;
}

/**
 * Decodes base64 of either alphabet, with or without padding and line ends; undefined when it is none (RFC 4648). A
 * text that mixes the alphabets is none, and one without special characters counts as standard.
 */
export function decodeBase64(text: string): DecodedBase64 | undefined {
  const joined = text.replace(/[\r\n]/g, '');
  const body = joined.replace(/={1,2}$/, '');
  const standard = /^[A-Za-z0-9+/]*$/.test(body);
  if (!standard && !/^[A-Za-z0-9_-]*$/.test(body)) return undefined;
  if (body.length % 4 === 1) return undefined;
  if (joined.length > body.length && joined.length % 4 !== 0) return undefined;
  return {
    bytes: Buffer.from(body, 'base64'),
    alphabet: standard ? 'standard' : 'url-safe',
    padded: joined.length % 4 === 0,
    lineEnds: joined.length !== text.length,
  };
}
