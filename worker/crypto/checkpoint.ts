/** Characters of one checkpoint; with a dozen cosigners it has some two thousand. */
const MAX_CHECKPOINT = 64 * 1024;
const MAX_SIGNATURES = 100;

/** The head of a log as it signs it (C2SP tlog-checkpoint). Nothing is believed yet. */
export interface Checkpoint {
  /** How the log calls itself. */
  readonly origin: string;
  readonly treeSize: bigint;
  readonly rootHash: Buffer;
  /** The bytes that are signed. */
  readonly body: Buffer;
  readonly signatures: readonly CheckpointSignature[];
}

export interface CheckpointSignature {
  readonly name: string;
  /** Four bytes that hint at the key. */
  readonly keyHint: Buffer;
  readonly signature: Buffer;
}

const SIGNATURE = /^\u2014 (\S{1,512}) ([A-Za-z0-9+/]{8,16384}={0,2})$/u;

/** Reads a signed note (C2SP signed-note) that holds a checkpoint; undefined when it is none. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  if (text.length > MAX_CHECKPOINT || !text.endsWith('\n')) return undefined;
  // The last empty line parts text and signatures: the text itself may hold empty lines.
  const split = text.lastIndexOf('\n\n');
  if (split < 0) return undefined;
  const body = text.slice(0, split + 1);
  const [origin = '', size = '', root = ''] = body.split('\n');
  const rootHash = Buffer.from(root, 'base64');
  if (origin === '' || !/^(?:0|[1-9][0-9]{0,18})$/.test(size) || rootHash.length !== 32) return undefined;
  if (rootHash.toString('base64') !== root) return undefined;
  const lines = text.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) return undefined;
  const signatures = lines.map(readSignature);
  if (!signatures.every((each) => each !== undefined)) return undefined;
  return { origin, treeSize: BigInt(size), rootHash, body: Buffer.from(body), signatures };
}

function readSignature(line: string): CheckpointSignature | undefined {
  const [, name, base64] = SIGNATURE.exec(line) ?? [];
  if (name === undefined || base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length < 5 ? undefined : { name, keyHint: bytes.subarray(0, 4), signature: bytes.subarray(4) };
}
