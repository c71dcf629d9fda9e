/** A key in a PKCS #11 token (RFC 7512): every member that is there must match. */
export interface Pkcs11Reference {
  readonly kind: 'pkcs11';
  /** Label of the token. */
  readonly token?: string;
  readonly serial?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly slotId?: number;
  /** Label of the key. */
  readonly object?: string;
  /** CKA_ID of the key, lower-case hex. */
  readonly id?: string;
  /** Absolute path of the module; absent: COSIGN_PKCS11_MODULE_PATH. */
  readonly modulePath?: string;
  /** Secret reference of the PIN: `file:/path`. */
  readonly pinSource?: string;
}

type Reading =
  | { readonly ok: true; readonly reference: Pkcs11Reference }
  | { readonly ok: false; readonly message: string; readonly mend: string };

const FORM = 'write pkcs11:token=LABEL;object=KEY?module-path=/path/of/module.so (or id=%01%02 for the key)';
const TEXTS: readonly string[] = ['token', 'serial', 'manufacturer', 'model', 'object'];

/** Reads a PKCS #11 URI in the forms that RFC 7512 and cosign share. A PIN in it is refused. */
export function parsePkcs11Uri(text: string): Reading {
  const [path = '', query = ''] = text.slice('pkcs11:'.length).split('?', 2);
  const found: { -readonly [Name in keyof Pkcs11Reference]?: Pkcs11Reference[Name] } = { kind: 'pkcs11' };
  for (const [name, raw] of attributes(path, ';')) {
    const value = decode(raw);
    if (value === undefined) return refuse(`pkcs11: the value of ${name} is not percent-encoded well`);
    if (TEXTS.includes(name)) Object.assign(found, { [name]: value.toString('utf8') });
    else if (name === 'id') found.id = value.toString('hex');
    else if (name === 'slot-id' && /^[0-9]{1,10}$/.test(raw)) found.slotId = Number(raw);
    else if (name !== 'type' || raw !== 'private')
      return refuse(`pkcs11: ${nameOf(name)} cannot be used to find a key`);
  }
  // RFC 7512 separates by &, cosign's tool also takes the semicolon.
  for (const [name, raw] of attributes(query.replaceAll(';', '&'), '&')) {
    const value = decode(raw)?.toString('utf8');
    if (name === 'pin-value') {
      return refuse(
        'pkcs11: a PIN must not stand in the reference',
        'remove pin-value and give the PIN by `passphrase`, pin-source=file:/path or COSIGN_PKCS11_PIN',
      );
    }
    if (value === undefined) return refuse(`pkcs11: the value of ${name} is not percent-encoded well`);
    if (name === 'module-path') found.modulePath = value;
    else if (name === 'pin-source') found.pinSource = value.startsWith('/') ? `file:${value}` : value;
    else return refuse(`pkcs11: ${nameOf(name)} is not read; the module is named by module-path`);
  }
  return check(found as Pkcs11Reference);
}

function check(found: Pkcs11Reference): Reading {
  if (found.token === undefined && found.slotId === undefined && found.serial === undefined) {
    return refuse('pkcs11: neither token, serial nor slot-id says which token it is');
  }
  if (!found.object && !found.id) return refuse('pkcs11: neither object nor id says which key it is');
  if (found.modulePath !== undefined && !found.modulePath.startsWith('/')) {
    return refuse('pkcs11: module-path is not absolute');
  }
  if (found.pinSource !== undefined && !/^file:\/./.test(found.pinSource)) {
    return refuse('pkcs11: pin-source is no file', 'write pin-source=file:/path, or give the PIN by `passphrase`');
  }
  return { ok: true, reference: found };
}

function attributes(text: string, separator: string): readonly (readonly [string, string])[] {
  return text
    .split(separator)
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    });
}

/** Percent-decoding to bytes: a CKA_ID is no text. */
function decode(text: string): Buffer | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  const parts = text.split(/(%[0-9a-f]{2})/i).map((part) => {
    return part.startsWith('%') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part, 'utf8');
  });
  return Buffer.concat(parts);
}

/** Names come from the text; one that is no plain word may be a piece of a secret. */
function nameOf(name: string): string {
  return /^[a-z-]{1,24}$/.test(name) ? name : 'an attribute';
}

function refuse(message: string, mend = FORM): Reading {
  return { ok: false, message, mend };
}
