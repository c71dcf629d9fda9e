import { type Pkcs11Reference, parsePkcs11Uri } from '#model/pkcs11-uri.ts';
import { SECRET_REFERENCE } from '#model/secret.ts';

/** Where a signing key lies. The forms of key services and tokens are those of cosign. */
export type KeyReference =
  /** A PEM key in a file or variable: `file:/path`, `env:NAME`. */
  | { readonly kind: 'secret'; readonly reference: string }
  | AwsKmsReference
  | AzureKmsReference
  | GcpKmsReference
  | HashivaultReference
  | Pkcs11Reference;

/** `awskms://[ENDPOINT]/ID|ARN|alias/NAME`. */
export interface AwsKmsReference {
  readonly kind: 'awskms';
  /** `host[:port]`, spoken to over https; absent: the service of the region. */
  readonly endpoint?: string;
  /** Key id, key ARN, `alias/NAME` or alias ARN, as the service takes it. */
  readonly keyId: string;
  /** Of an ARN. */
  readonly region?: string;
}

/** `azurekms://VAULT/KEY[/VERSION]`; a vault without a dot is one of the public cloud. */
export interface AzureKmsReference {
  readonly kind: 'azurekms';
  /** `host[:port]`. */
  readonly vault: string;
  readonly name: string;
  readonly version?: string;
}

/** `gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K[/cryptoKeyVersions/V]`. */
export interface GcpKmsReference {
  readonly kind: 'gcpkms';
  /** Resource name of the key, without a version. */
  readonly key: string;
  readonly version?: string;
}

/** `hashivault://KEY`, a key of the transit engine. */
export interface HashivaultReference {
  readonly kind: 'hashivault';
  readonly name: string;
}

export type KeyReferenceReading =
  | { readonly ok: true; readonly reference: KeyReference }
  /** What is wrong, never quoting the text: it may hold a PIN, or be the key itself. */
  | { readonly ok: false; readonly message: string; readonly mend: string };

const FORMS =
  'write file:/path or env:NAME for a PEM key, or awskms://, azurekms://, gcpkms://, hashivault:// or pkcs11: for one that stays where it is';

/** Reads a reference to a signing key. */
export function readKeyReference(text: string): KeyReferenceReading {
  if (SECRET_REFERENCE.test(text)) return { ok: true, reference: { kind: 'secret', reference: text } };
  if (text.length > 2048) return refuse('the key reference is longer than 2048 characters', FORMS);
  if (text.startsWith('pkcs11:')) return parsePkcs11Uri(text);
  const [scheme, rest] = split(text, '://');
  switch (rest === undefined ? undefined : scheme) {
    case 'awskms':
      return readAws(rest ?? '');
    case 'azurekms':
      return readAzure(rest ?? '');
    case 'gcpkms':
      return readGcp(rest ?? '');
    case 'hashivault':
      return readHashivault(rest ?? '');
    default:
      return refuse('a key must not stand in the file itself, and this is no reference to one', FORMS);
  }
}

/** True for a reference that is not the text of a secret: a key service or a token. */
export function isRemoteKey(text: string): boolean {
  return /^(?:awskms|azurekms|gcpkms|hashivault):\/\/|^pkcs11:/.test(text);
}

const HOST = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?$/i;
const AWS_KEY = /^(?:mrk-)?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$|^mrk-[0-9a-f]{32}$/i;
const AWS_ALIAS = /^alias\/[A-Za-z0-9/_-]{1,250}$/;
const AWS_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):[0-9]{12}:(?:key\/(.+)|(alias\/.+))$/;

function readAws(rest: string): KeyReferenceReading {
  const mend = 'write awskms:///KEY_ID, awskms:///alias/NAME, awskms:///ARN, or the same with awskms://HOST[:PORT]/';
  const [endpoint = '', keyId] = split(rest, '/');
  if (keyId === undefined) return refuse('awskms: there is no key after the endpoint', mend);
  if (endpoint !== '' && !HOST.test(endpoint)) return refuse('awskms: the endpoint is no host or host:port', mend);
  const [, region, id, alias] = AWS_ARN.exec(keyId) ?? [];
  if (
    ![keyId, id].some((each) => each && AWS_KEY.test(each)) &&
    ![keyId, alias].some((each) => each && AWS_ALIAS.test(each))
  ) {
    return refuse('awskms: the key is no key id, ARN or alias', mend);
  }
  const where = endpoint === '' ? {} : { endpoint };
  return { ok: true, reference: { kind: 'awskms', ...where, keyId, ...(region === undefined ? {} : { region }) } };
}

function readAzure(rest: string): KeyReferenceReading {
  const mend = 'write azurekms://VAULT.vault.azure.net/KEY or azurekms://VAULT.vault.azure.net/KEY/VERSION';
  const [host = '', name = '', version, ...more] = rest.split('/');
  if (!HOST.test(host)) return refuse('azurekms: the vault is no host', mend);
  if (!/^[0-9A-Za-z-]{1,127}$/.test(name)) return refuse('azurekms: the name of the key is missing or malformed', mend);
  if (more.length > 0 || (version !== undefined && !/^[0-9a-z]{1,64}$/i.test(version))) {
    return refuse('azurekms: what follows the name of the key is no version', mend);
  }
  const vault = /[.:]/.test(host) ? host : `${host}.vault.azure.net`;
  return { ok: true, reference: { kind: 'azurekms', vault, name, ...(version === undefined ? {} : { version }) } };
}

const GCP =
  /^(projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+)(?:\/(?:cryptoKeyV|v)ersions\/([0-9]{1,9}))?$/;

function readGcp(rest: string): KeyReferenceReading {
  const [, key, version] = GCP.exec(rest) ?? [];
  if (key === undefined || !/^[A-Za-z0-9_/:.-]+$/.test(key)) {
    const mend = 'write gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V';
    return refuse('gcpkms: this is not the resource name of a key', mend);
  }
  return { ok: true, reference: { kind: 'gcpkms', key, ...(version === undefined ? {} : { version }) } };
}

function readHashivault(name: string): KeyReferenceReading {
  if (/^\w(?:[\w.-]*\w)?$/.test(name) && name.length <= 255) {
    return { ok: true, reference: { kind: 'hashivault', name } };
  }
  const mend = 'write hashivault://KEY; the address is VAULT_ADDR, the path of the engine TRANSIT_SECRET_ENGINE_PATH';
  return refuse('hashivault: this is not the name of a transit key', mend);
}

function refuse(message: string, mend: string): KeyReferenceReading {
  return { ok: false, message, mend };
}

function split(text: string, by: string): readonly [string, string?] {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + by.length)];
}
