import { MessageProblem, type MessageReader } from '#verification/proto-json.ts';

/** Hashes of one inclusion proof: as deep as a tree can be. */
const MAX_HASHES = 64;

/** An entry of a transparency log, as a bundle brings it along (protobuf-specs, sigstore_rekor.proto). */
export interface BundleLogEntry {
  readonly logIndex: bigint;
  /** Lower-case hex. */
  readonly logId: string;
  readonly kind: string;
  readonly version: string;
  /** Seconds since 1970; absent where the log gives none. */
  readonly integratedTime?: bigint;
  /** The signed entry timestamp of Rekor v1. */
  readonly promise?: Buffer;
  readonly proof?: LogProof;
  /** What the log hashed as its leaf. */
  readonly body: Buffer;
}

export interface LogProof {
  readonly index: bigint;
  readonly rootHash: Buffer;
  readonly treeSize: bigint;
  readonly hashes: readonly Buffer[];
  /** Text of the signed note. */
  readonly checkpoint: string;
}

/** @throws MessageProblem */
export function readLogEntry(value: unknown, path: string, reader: MessageReader): BundleLogEntry {
  const entry = reader.object(value, path, [
    'logIndex',
    'logId',
    'kindVersion',
    'integratedTime',
    'inclusionPromise',
    'inclusionProof',
    'canonicalizedBody',
  ]);
  const { keyId } = reader.object(entry.logId, `${path}.logId`, ['keyId']);
  const { kind, version } = reader.object(entry.kindVersion, `${path}.kindVersion`, ['kind', 'version']);
  const { integratedTime, inclusionPromise, inclusionProof } = entry;
  const seconds = reader.integer(integratedTime ?? '0', `${path}.integratedTime`);
  const promise = readPromise(inclusionPromise, `${path}.inclusionPromise`, reader);
  const body = reader.bytes(entry.canonicalizedBody, `${path}.canonicalizedBody`);
  if (body.length === 0) throw new MessageProblem(`${path}.canonicalizedBody is empty`);
  return {
    // The JSON form of protobuf leaves out members that are zero.
    logIndex: reader.integer(entry.logIndex ?? '0', `${path}.logIndex`),
    logId: reader.bytes(keyId, `${path}.logId.keyId`).toString('hex'),
    kind: reader.text(kind, `${path}.kindVersion.kind`),
    version: reader.text(version, `${path}.kindVersion.version`),
    ...(seconds === 0n ? {} : { integratedTime: seconds }),
    ...(promise ? { promise } : {}),
    ...(inclusionProof === undefined ? {} : { proof: readProof(inclusionProof, `${path}.inclusionProof`, reader) }),
    body,
  };
}

function readPromise(value: unknown, path: string, reader: MessageReader): Buffer | undefined {
  if (value === undefined) return undefined;
  const { signedEntryTimestamp } = reader.object(value, path, ['signedEntryTimestamp']);
  const promise = reader.bytes(signedEntryTimestamp ?? '', `${path}.signedEntryTimestamp`);
  return promise.length === 0 ? undefined : promise;
}

function readProof(value: unknown, path: string, reader: MessageReader): LogProof {
  const proof = reader.object(value, path, ['logIndex', 'rootHash', 'treeSize', 'hashes', 'checkpoint']);
  const { envelope } = reader.object(proof.checkpoint, `${path}.checkpoint`, ['envelope']);
  return {
    index: reader.integer(proof.logIndex ?? '0', `${path}.logIndex`),
    rootHash: reader.bytes(proof.rootHash ?? '', `${path}.rootHash`),
    treeSize: reader.integer(proof.treeSize ?? '0', `${path}.treeSize`),
    hashes: reader
      .list(proof.hashes, `${path}.hashes`, MAX_HASHES)
      .map((hash, index) => reader.bytes(hash, `${path}.hashes[${index}]`)),
    checkpoint: reader.text(envelope, `${path}.checkpoint.envelope`),
  };
}
