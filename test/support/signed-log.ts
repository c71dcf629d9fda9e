import { generateKeyPairSync, sign } from 'node:crypto';
import { noteKeyId } from '#crypto/log-key.ts';
import { sha256Hex } from '#model/digest.ts';
import { merkleTree } from './merkle-tree.ts';

/** The entries of a log, and its head as the log signs it. */
export function createSignedLog(kind: 'ec' | 'ed25519', origin: string) {
  const { privateKey, publicKey } =
    kind === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const leaves: Buffer[] = [];
  const places = new Map<string, number>();
  const signBytes = (bytes: Uint8Array) => sign(kind === 'ec' ? 'sha256' : null, bytes, privateKey);

  function checkpoint(): string {
    const body = `${origin}\n${leaves.length}\n${merkleTree(leaves).root().toString('base64')}\n`;
    const [name = ''] = origin.split(' - ');
    const line = Buffer.concat([
      Buffer.from(noteKeyId(name, publicKey).slice(0, 8), 'hex'),
      signBytes(Buffer.from(body)),
    ]);
    return `${body}\n\u2014 ${name} ${line.toString('base64')}\n`;
  }

  return {
    publicKey,
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    leaves: leaves as readonly Buffer[],
    sign: signBytes,
    checkpoint,
    root: () => merkleTree(leaves).root(),
    path: (index: number) => merkleTree(leaves).path(index),
    /** Appends an entry, and tells its place; an entry that is there already keeps its own. */
    append(leaf: Buffer): { readonly index: number; readonly isNew: boolean } {
      const key = sha256Hex(leaf);
      const known = places.get(key);
      if (known !== undefined) return { index: known, isNew: false };
      places.set(key, leaves.length);
      leaves.push(leaf);
      return { index: leaves.length - 1, isNew: true };
    },
  };
}

/** JSON with the members of every object in order (RFC 8785, as far as strings and whole numbers go). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, inner]) => `${JSON.stringify(name)}:${canonicalJson(inner)}`).join(',')}}`;
}
