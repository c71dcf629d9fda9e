import { decodeBase64 } from '#crypto/base64.ts';

/** Characters of one checkpoint; cosigned ones have a few thousand. */
const MAX_LENGTH = 64 * 1024;
/** Signature lines; each may cost a verification. */
const MAX_SIGNATURES = 32;

/** A signed tree head (C2SP signed-note and tlog-checkpoint): what it says, nothing believed yet. */
export interface Checkpoint {
  /** First line: the name of the log, in Rekor v1 with the number of its tree. */
  readonly origin: string;
  readonly treeSize: bigint;
  readonly rootHash: Buffer;
  /** What the signatures cover. */
  readonly text: Buffer;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  /** Who says to have signed. */
  readonly name: string;
  /** First four bytes of the key's id, lower-case hex. */
  readonly hint: string;
  readonly signature: Buffer;
}

/** Reads a checkpoint; undefined when it is none. */
export function parseCheckpoint(envelope: string): Checkpoint | undefined {
  const split = envelope.lastIndexOf('\n\n');
  if (split < 0 || envelope.length > MAX_LENGTH || !envelope.endsWith('\n')) return undefined;
  const [text, block] = [envelope.slice(0, split + 1), envelope.slice(split + 2, -1)];
  const [origin = '', size = '', root = ''] = text.split('\n');
  const rootHash = decodeBase64(root);
  const lines = block.split('\n');
  if (origin === '' || !/^(?:0|[1-9]\d{0,18})$/.test(size) || rootHash?.bytes.length !== 32) return undefined;
  if (lines.length > MAX_SIGNATURES) return undefined;
  const signatures = lines.map(readSignature);
  if (!signatures.every((each) => each !== undefined)) return undefined;
  return { origin, treeSize: BigInt(size), rootHash: rootHash.bytes, text: Buffer.from(text), signatures };
}

function readSignature(line: string): NoteSignature | undefined {
  const [, name, base64 = ''] = /^— ([^\s+]+) (\S+)$/.exec(line) ?? [];
  const bytes = decodeBase64(base64)?.bytes;
  if (name === undefined || !bytes || bytes.length < 5) return undefined;
  return { name, hint: bytes.subarray(0, 4).toString('hex'), signature: bytes.subarray(4) };
}
