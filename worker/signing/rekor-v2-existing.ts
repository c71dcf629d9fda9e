import { parseCheckpoint } from '#crypto/checkpoint.ts';
import { type LogKey, noteKeyId } from '#crypto/log-key.ts';
import { AppError } from '#model/errors.ts';
import { createLogTiles } from '#signing/log-tiles.ts';
import { type Peer, type PeerAnswer, unbelievable } from '#signing/peer.ts';

/**
 * The entry that a log of Rekor v2 has already, in the form in which it would have answered: the same signature of the
 * same bytes is logged once, and a key whose signatures do not vary (RSA) makes it again after an answer was lost. The
 * log tells its index alone; entry and proof are read from the files that it publishes. Nothing of it is believed yet.
 * @throws AppError `witness-refused` where the log does not publish them at the same address.
 */
export async function existingEntry(
  base: URL,
  { headers }: PeerAnswer,
  { peer, log }: { readonly peer: Peer; readonly log?: LogKey },
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const index = Number(headers['x-log-index'] ?? headers['grpc-metadata-x-log-index'] ?? Number.NaN);
  if (!Number.isSafeInteger(index) || index < 0) {
    throw unbelievable(peer, 'it has the entry already, and does not say where');
  }
  if (!log) {
    const message = `${peer.name} has the entry already, and without its key nobody can name the log in it`;
    throw new AppError(peer.codes.refused, message, { mend: 'configure the key of this log' });
  }
  const tiles = createLogTiles(base, peer, signal);
  const envelope = await tiles.checkpoint();
  if (envelope === undefined) {
    throw new AppError(peer.codes.refused, `${peer.name} has the entry already, and does not publish it here`, {
      mend: 'have the files of the log served below /api/v2, or sign with an ECDSA key, whose signatures vary',
    });
  }
  const head = parseCheckpoint(envelope);
  const treeSize = Number(head?.treeSize ?? Number.NaN);
  if (!head || !Number.isSafeInteger(treeSize)) throw unbelievable(peer, 'its checkpoint cannot be read');
  // The head is published a moment after the entry.
  if (index >= treeSize) throw new AppError(peer.codes.unavailable, `${peer.name} has not published the entry yet`);
  const [entry, hashes] = await Promise.all([tiles.entry(index, treeSize), tiles.inclusionProof(index, treeSize)]);
  const answer = {
    logIndex: String(index),
    // The whole of which the key id of its checkpoints is the beginning (C2SP signed-note).
    logId: { keyId: Buffer.from(noteKeyId(head.origin, log.key), 'hex').toString('base64') },
    kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
    inclusionProof: {
      logIndex: String(index),
      rootHash: head.rootHash.toString('base64'),
      treeSize: String(treeSize),
      hashes: hashes.map((hash) => hash.toString('base64')),
      checkpoint: { envelope },
    },
    canonicalizedBody: entry.toString('base64'),
  };
  return Buffer.from(JSON.stringify(answer));
}
