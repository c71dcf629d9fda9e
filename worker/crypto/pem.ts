import { AppError, type ErrorCode } from '#model/errors.ts';

export interface PemBlock {
  /** The text between `BEGIN` and the dashes, e.g. `CERTIFICATE`. */
  readonly label: string;
  readonly der: Buffer;
  /** The block alone, normalised to lines of 64 characters. */
  readonly text: string;
  /** RFC 1421 headers are there: the old form of an encrypted key. */
  readonly headers: boolean;
}

/** Characters; far above any chain or key, and small enough to hold several in memory. */
const MAX_PEM_LENGTH = 3 * 1024 * 1024;
const BEGIN = /^-----BEGIN ([A-Z0-9 ]{1,60})-----$/;
const HEADER = /^[A-Za-z0-9-]+:/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * The PEM blocks of a text (RFC 7468) in their order. Words before a block are skipped, as tools print them there;
 * words after the last block are refused, as cosign and Kyverno do.
 * @throws AppError with `code` when a block is cut off or holds something else than base64.
 */
export function readPem(text: string, code: ErrorCode, what: string): readonly PemBlock[] {
  if (text.length > MAX_PEM_LENGTH)
    throw new AppError('too-large', `${what} is longer than ${MAX_PEM_LENGTH} characters`);
  const blocks: PemBlock[] = [];
  let open: { label: string; body: string[]; headers: boolean } | undefined;
  let loose = '';
  for (const line of text.split(/\r?\n/).map((raw) => raw.trim())) {
    const begin = BEGIN.exec(line)?.[1];
    if (begin !== undefined) {
      if (open) throw new AppError(code, `${what}: the ${open.label} block has no END line`);
      open = { label: begin, body: [], headers: false };
      loose = '';
    } else if (!open) {
      loose += line;
    } else if (line === `-----END ${open.label}-----`) {
      blocks.push(closeBlock(open, code, what));
      open = undefined;
    } else if (HEADER.test(line)) {
      open.headers = true;
    } else {
      open.body.push(line);
    }
  }
  if (open) throw new AppError(code, `${what}: the ${open.label} block has no END line`);
  if (blocks.length > 0 && loose !== '') {
    throw new AppError(code, `${what}: there is text after the last PEM block`, {
      mend: 'remove what follows the last END line',
    });
  }
  return blocks;
}

function closeBlock(
  open: { label: string; body: string[]; headers: boolean },
  code: ErrorCode,
  what: string,
): PemBlock {
  const body = open.headers ? open.body.filter((line) => BASE64.test(line)).join('') : open.body.join('');
  if (!BASE64.test(body) || body.length % 4 !== 0) {
    throw new AppError(code, `${what}: the ${open.label} block is not base64`);
  }
  const der = Buffer.from(body, 'base64');
  return { label: open.label, der, text: writePem(open.label, der), headers: open.headers };
}

export function writePem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
