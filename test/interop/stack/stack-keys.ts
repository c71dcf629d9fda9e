import { createHash, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { octets, oid, sequence } from '../../support/der.ts';
import {
  type CertificateSpec,
  caDefaults,
  EKU,
  extension,
  type Issued,
  issueFrom,
  makeKey,
  pemOf,
  selfSigned,
} from '../../support/pki.ts';
import type { Scratch } from '../../support/scratch.ts';

/** The password of the one key that must have one: the CT log refuses any other. */
export const CT_PASSWORD = 'of the tests';

/** A certificate authority in files: what issues, and what others trust. */
export interface AuthorityFiles {
  readonly issuer: Issued;
  readonly root: Issued;
  readonly key: string;
  /** Intermediate or leaf, then root. */
  readonly chain: string;
  readonly rootFile: string;
  readonly first: string;
}

export interface LogFiles {
  readonly key: string;
  readonly publicKey: string;
}

/** Every key of the stack, made anew and written to files. */
export interface StackKeys {
  readonly fulcio: AuthorityFiles;
  readonly timestamps: AuthorityFiles;
  readonly ctLog: LogFiles;
  readonly rekor1: LogFiles;
  readonly rekor2: LogFiles;
}

export async function writeStackKeys(scratch: Scratch): Promise<StackKeys> {
  const fulcioRoot = authority('Stack Fulcio Root');
  const fulcio = issueFrom(fulcioRoot, {
    ...caDefaults(),
    subject: 'Stack Fulcio Intermediate',
    ...keyed({ pathLength: 0, usage: [EKU.codeSigning] }),
  });
  const stampRoot = authority('Stack Timestamp Root');
  const stamp = issueFrom(stampRoot, {
    subject: 'Stack Timestamps',
    extendedKeyUsage: null,
    subjectAlternativeNames: null,
    // RFC 3161, 2.3: the only usage, and critical.
    extensions: [extension('2.5.29.37', sequence(oid(EKU.timeStamping)), true)],
  });
  const ec = () => makeKey('p256');
  const encrypted = (key: KeyObject) =>
    key.export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: CT_PASSWORD });
  const plain = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' });
  return {
    fulcio: await writeAuthority(scratch, 'fulcio', fulcioRoot, fulcio),
    timestamps: await writeAuthority(scratch, 'timestamps', stampRoot, stamp),
    ctLog: await writeLog(scratch, 'ct-log', ec(), encrypted),
    rekor1: await writeLog(scratch, 'rekor1', ec(), plain),
    rekor2: await writeLog(scratch, 'rekor2', generateKeyPairSync('ed25519').privateKey, plain),
  };
}

function authority(subject: string): Issued {
  return selfSigned({ ...caDefaults(), subject, ...keyed({}) });
}

/** Fulcio finds the issuer of a certificate by key identifiers. */
function keyed({ pathLength, usage }: { pathLength?: number; usage?: readonly string[] }): CertificateSpec {
  const key = makeKey('p256');
  return {
    key,
    extendedKeyUsage: usage ?? null,
    basicConstraints: { ca: true, ...(pathLength === undefined ? {} : { pathLength }) },
    extensions: [extension('2.5.29.14', octets(keyIdentifier(key)))],
  };
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1').update(publicDer(key)).digest();
}

function publicDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

async function writeAuthority(scratch: Scratch, name: string, root: Issued, issuer: Issued): Promise<AuthorityFiles> {
  const write = (file: string, text: string) => scratch.write(`keys/${name}/${file}`, text);
  return {
    issuer,
    root,
    key: await write('key.pem', issuer.keyPem),
    chain: await write('chain.pem', `${issuer.pem}${root.pem}`),
    rootFile: await write('root.pem', root.pem),
    first: await write('first.pem', issuer.pem),
  };
}

async function writeLog(
  scratch: Scratch,
  name: string,
  key: KeyObject,
  exported: (key: KeyObject) => string | Buffer,
): Promise<LogFiles> {
  return {
    key: await scratch.write(`keys/${name}/key.pem`, exported(key)),
    publicKey: await scratch.write(`keys/${name}/public.pem`, pemOf(publicDer(key), 'PUBLIC KEY')),
  };
}
