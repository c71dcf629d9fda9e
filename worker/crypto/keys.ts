import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { openCosignKey } from '#crypto/cosign-key.ts';
import { keyKind } from '#crypto/key-kind.ts';
import { type PemBlock, readPem } from '#crypto/pem.ts';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';

const PKCS8_MEND = 'convert it: openssl pkcs8 -topk8 -nocrypt -in KEY -out key.pem';

/** What may be asked for and is given otherwise, with the way to mend it. */
const OTHER_BLOCKS: Readonly<Record<string, string>> = {
  'PUBLIC KEY': 'this is the public half; name the file of the private key',
  CERTIFICATE: 'this is a certificate; name the file of its private key',
  'OPENSSH PRIVATE KEY': 'convert it: ssh-keygen -p -m PKCS8 -f KEY',
  'DSA PRIVATE KEY': 'use an ECDSA P-256 or RSA key',
};

/**
 * Reads a private key in PEM: PKCS #8, PKCS #8 with a passphrase, EC (RFC 5915), RSA (PKCS #1), cosign's own form.
 * @throws AppError `key-unreadable` saying what is wrong and how to mend it; never a byte of the key.
 */
export function readPrivateKey(pem: string | Secret, passphrase?: string | Secret): KeyObject {
  const block = keyBlock(readPem(reveal(pem), 'key-unreadable', 'private key'));
  const secret = passphrase === undefined ? undefined : reveal(passphrase);
  switch (block.label) {
    case 'PRIVATE KEY':
    case 'EC PRIVATE KEY':
    case 'RSA PRIVATE KEY':
      if (block.headers) {
        throw unreadable(
          'the key is encrypted in the old form of OpenSSL',
          'convert it: openssl pkcs8 -topk8 -in KEY -out key.pem',
        );
      }
      return usable(openKey(block, undefined));
    case 'ENCRYPTED PRIVATE KEY':
      return usable(openKey(block, required(secret)));
    case 'ENCRYPTED COSIGN PRIVATE KEY':
    case 'ENCRYPTED SIGSTORE PRIVATE KEY':
      // cosign always encrypts; who gives no password encrypts with the empty one.
      return usable(openCosign(block, secret ?? ''));
    default:
      throw unreadable(`the file holds a ${block.label} block`, OTHER_BLOCKS[block.label] ?? PKCS8_MEND);
  }
}

/**
 * Reads a public key in PEM: SPKI or RSA (PKCS #1).
 * @throws AppError `key-unreadable`.
 */
export function readPublicKey(pem: string): KeyObject {
  const [block, second] = readPem(pem, 'key-unreadable', 'public key');
  if (!block) throw unreadable('there is no PEM block', 'the file must hold -----BEGIN PUBLIC KEY-----');
  if (second) throw unreadable('the file holds more than one PEM block', 'keep one public key in the file');
  if (block.label !== 'PUBLIC KEY' && block.label !== 'RSA PUBLIC KEY') {
    const mend = block.label.includes('PRIVATE KEY')
      ? 'this is the private key: keep it secret, and name its public half (openssl pkey -in KEY -pubout)'
      : 'the file must hold -----BEGIN PUBLIC KEY-----';
    throw unreadable(`the file holds a ${block.label} block`, mend);
  }
  try {
    return usable(
      createPublicKey({ key: block.der, format: 'der', type: block.label === 'PUBLIC KEY' ? 'spki' : 'pkcs1' }),
    );
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unreadable('the public key is damaged', 'write it again: openssl pkey -in KEY -pubout');
  }
}

function reveal(text: string | Secret): string {
  return text instanceof Secret ? text.reveal() : text;
}

/** The one key of a file; the curve's name that `openssl ecparam` puts before it is passed over. */
function keyBlock(blocks: readonly PemBlock[]): PemBlock {
  const [block, second] = blocks.filter(({ label }) => label !== 'EC PARAMETERS');
  if (!block) throw unreadable('there is no PEM block', 'the file must hold -----BEGIN PRIVATE KEY-----');
  if (second) throw unreadable('the file holds more than one PEM block', 'keep only the private key in this file');
  return block;
}

const DER_TYPES: Readonly<Record<string, 'pkcs8' | 'sec1' | 'pkcs1'>> = {
  'EC PRIVATE KEY': 'sec1',
  'RSA PRIVATE KEY': 'pkcs1',
};

function openKey(block: PemBlock, passphrase: string | undefined): KeyObject {
  const key = { key: block.der, format: 'der', type: DER_TYPES[block.label] ?? 'pkcs8' } as const;
  try {
    return createPrivateKey(passphrase === undefined ? key : { ...key, passphrase });
  } catch {
    // OpenSSL's own message is dropped: it says nothing a person can use, and might quote what it read.
    if (passphrase === undefined) throw unreadable('the private key is damaged', PKCS8_MEND);
    throw unreadable(
      'the passphrase is wrong, or the key is damaged',
      'give the passphrase that the key was encrypted with',
    );
  }
}

function openCosign(block: PemBlock, passphrase: string): KeyObject {
  const opened = openCosignKey(block.der, passphrase);
  if (opened.ok) return openKey({ ...block, label: 'PRIVATE KEY', der: opened.pkcs8 }, undefined);
  switch (opened.why) {
    case 'format':
      throw unreadable(`the ${block.label} is damaged or of a form that cosign does not write`, 'restore the file');
    case 'passphrase':
      throw unreadable(
        'the passphrase is wrong, or the key is damaged',
        'give the password of cosign generate-key-pair',
      );
  }
}

function required(passphrase: string | undefined): string {
  if (passphrase !== undefined) return passphrase;
  throw unreadable(
    'the key is encrypted and there is no passphrase',
    'give its passphrase, or remove it: openssl pkcs8 -in KEY -out key.pem',
  );
}

function usable(key: KeyObject): KeyObject {
  const kind = keyKind(key);
  if (kind.type !== 'other') return key;
  throw unreadable(`keys of the kind ${kind.name} are not used`, 'use an ECDSA P-256 or RSA key');
}

function unreadable(message: string, mend: string): AppError {
  return new AppError('key-unreadable', message, { mend });
}
