import * as z from 'zod';
import { isRegistryHost, isRepository, splitReference } from '#model/image-ref.ts';
import { readKeyReference } from '#model/key-reference.ts';
import { isKeySetting, KEY_SETTINGS, settingComplaint } from '#model/key-settings.ts';
import { SECRET_REFERENCE } from '#model/secret.ts';

/**
 * The scalars that settings are made of. Each checks by hand, because a person reads the message: it names what is
 * wrong and how to mend it. Messages of secrets never quote the value.
 */
interface Complaint {
  readonly message: string;
  readonly mend: string;
}

/**
 * What a text stands for where that matters to the loader: relative paths are made absolute, files and secrets are
 * looked for. Kept as `format` in the JSON Schema, which editors pass over.
 */
export const TEXT_FORMATS = [
  'path',
  'folder',
  'secret',
  'url-or-secret',
  'fingerprint-or-path',
  'duration',
  'size',
] as const;
export type TextFormat = (typeof TEXT_FORMATS)[number];

function checkedText(
  judge: (text: string) => Complaint | undefined,
  meta: { readonly pattern?: string; readonly format?: TextFormat } = {},
) {
  const schema = z.string().superRefine((text, context) => {
    const complaint = judge(text);
    if (!complaint) return;
    context.addIssue({ code: 'custom', message: complaint.message, params: { mend: complaint.mend } });
  });
  return schema.meta(meta);
}

const DURATION = /^([1-9][0-9]{0,8})(ms|s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DURATION_MEND = 'write a number with a unit: 30s, 5m, 6h or 7d';

/** Milliseconds of a duration such as `30s`; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNIT_MS[unit];
  return factor === undefined ? undefined : Number(amount) * factor;
}

/** A duration such as `30s`, `5m`, `6h`, `7d`; parsed to milliseconds. */
export function duration(shortest: string, longest: string) {
  const least = parseDuration(shortest) ?? 0;
  const most = parseDuration(longest) ?? Number.MAX_SAFE_INTEGER;
  return checkedText(
    (text) => {
      const ms = parseDuration(text);
      if (ms === undefined) return { message: `"${text.slice(0, 40)}" is not a duration`, mend: DURATION_MEND };
      if (ms >= least && ms <= most) return undefined;
      return { message: `${text} is out of range`, mend: `write a duration from ${shortest} to ${longest}` };
    },
    { pattern: DURATION.source, format: 'duration' },
  ).transform((text) => parseDuration(text) ?? 0);
}

const SIZE = /^([1-9][0-9]{0,8})(B|KiB|MiB|GiB)$/;
const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function parseSize(text: string): number | undefined {
  const [, amount, unit] = SIZE.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNIT_BYTES[unit];
  return factor === undefined ? undefined : Number(amount) * factor;
}

/** A size such as `64MiB`; parsed to bytes. */
export function byteSize(smallest: string, largest: string) {
  const least = parseSize(smallest) ?? 0;
  const most = parseSize(largest) ?? Number.MAX_SAFE_INTEGER;
  return checkedText(
    (text) => {
      const bytes = parseSize(text);
      const mend = `write a size from ${smallest} to ${largest}, e.g. 64MiB`;
      if (bytes === undefined) return { message: `"${text.slice(0, 40)}" is not a size`, mend };
      return bytes >= least && bytes <= most ? undefined : { message: `${text} is out of range`, mend };
    },
    { pattern: SIZE.source, format: 'size' },
  ).transform((text) => parseSize(text) ?? 0);
}

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number) {
  return z.number().int().min(least).max(most);
}

/** `env:NAME` or `file:/path`. A secret written out is refused without being quoted. */
export const SecretReference = checkedText(
  (text) => {
    if (SECRET_REFERENCE.test(text)) return undefined;
    return {
      message: 'a secret must not stand in the file itself',
      mend: 'put the value into an environment variable or a file and write env:NAME or file:/path',
    };
  },
  { pattern: SECRET_REFERENCE.source, format: 'secret' },
);

/** Where a signing key lies: a secret reference, or a key of a service or token by cosign's URIs. */
export const KeyReferenceText = checkedText(
  (text) => {
    const read = readKeyReference(text);
    return read.ok ? undefined : { message: read.message, mend: read.mend };
  },
  { format: 'secret' },
);

/** Settings of key services by the names of their environment variables; secrets by reference alone. */
export const KeyAccess = z
  .record(z.string(), checkedText(() => undefined, { format: 'url-or-secret' }).max(4096))
  .superRefine((settings, context) => {
    for (const [name, value] of Object.entries(settings)) {
      const complaint = settingComplaint(name, value);
      if (!complaint) continue;
      context.addIssue({ code: 'custom', message: complaint.message, path: [name], params: { mend: complaint.mend } });
    }
  })
  .meta({ propertyNames: { enum: Object.keys(KEY_SETTINGS).filter(isKeySetting) } });

/** A path; relative ones are relative to the configuration file. */
export const FilePath = checkedText(
  (text) => {
    if (text === '' || text.length > 4096 || text.includes('\0')) {
      return { message: 'not a path', mend: 'write the path of a file, relative to this configuration file' };
    }
    if (/^(?:env|file):/.test(text)) {
      return {
        message: 'this key takes a plain path, not a secret reference',
        mend: `write ${text.startsWith('file:') ? text.slice(5) : 'the path itself'}`,
      };
    }
    return undefined;
  },
  { format: 'path' },
);

/** A folder, which need not be there yet; relative ones are relative to the configuration file. */
export const FolderPath = checkedText(
  (text) => {
    if (text !== '' && text.length <= 4096 && !text.includes('\0') && !/^[a-z]+:/.test(text)) return undefined;
    return { message: 'not a path', mend: 'write the path of a folder, relative to this configuration file' };
  },
  { format: 'folder' },
);

const ID = '^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$';

/** The name by which other parts of the configuration, records and metrics call a thing. */
export const Id = checkedText(
  (text) => {
    if (new RegExp(ID).test(text)) return undefined;
    return {
      message: `"${text.slice(0, 80)}" is not an id`,
      mend: 'use 1 to 63 lower-case letters, digits, dots, dashes and underscores, a letter or digit at both ends',
    };
  },
  { pattern: ID },
);

/** A pattern for `globMatches`: `*` within a path segment, `**` across. */
export const Pattern = checkedText((text) => {
  if (text === '' || text.length > 512) {
    return { message: 'an empty or overlong pattern', mend: 'write a name, or use * and ** as wildcards' };
  }
  if (/[?[\]{}^$|\\()+]/.test(text)) {
    return {
      message: `"${text}" holds a character that is no wildcard here`,
      mend: 'only * (within a path segment) and ** (across segments) are wildcards; write a list for alternatives',
    };
  }
  return undefined;
});

/** A registry host with an optional port, as references write it. */
export const RegistryName = checkedText((text) => {
  if (/^[a-z]+:\/\//i.test(text)) {
    return { message: `"${text.slice(0, 80)}" is a URL`, mend: 'write host or host:port, without https:// and path' };
  }
  if (isRegistryHost(text)) return undefined;
  return { message: `"${text.slice(0, 80)}" is not a registry host`, mend: 'write host or host:port' };
});

/** `registry/path`, without tag or digest, the registry written out. */
export const RepositoryName = checkedText((text) => {
  const parts = splitReference(text);
  const mend = 'write registry/path, e.g. registry.example.com/security/evidence';
  if (parts.registry === undefined) return { message: `"${text.slice(0, 120)}" names no registry`, mend };
  if (parts.tag !== undefined || parts.digest !== undefined) {
    return { message: 'a repository has neither tag nor digest', mend };
  }
  if (isRegistryHost(parts.registry) && isRepository(parts.path)) return undefined;
  return { message: `"${text.slice(0, 120)}" is not a repository`, mend };
});

function judgeUrl(text: string, schemes: readonly string[]): Complaint | undefined {
  const mend = `write ${schemes[0]}//host[:port][/path]`;
  // The value is not quoted: people put credentials into URLs.
  if (!URL.canParse(text)) return { message: 'not a URL', mend };
  const url = new URL(text);
  if (!schemes.includes(url.protocol)) {
    return { message: `the scheme ${url.protocol} is not one of ${schemes.join(' ')}`, mend };
  }
  if (url.username !== '' || url.password !== '') {
    return {
      message: 'a URL here must not hold credentials',
      mend: 'take them out of the URL and use the key that takes a secret reference',
    };
  }
  return undefined;
}

/** An absolute http or https URL without credentials. */
export const HttpUrl = checkedText((text) => judgeUrl(text, ['https:', 'http:']));

/** A URL without credentials, or a reference to a secret that holds the whole URL. */
export function urlOrSecret(...schemes: readonly string[]) {
  return checkedText((text) => (SECRET_REFERENCE.test(text) ? undefined : judgeUrl(text, schemes)), {
    format: 'url-or-secret',
  });
}

/** SHA-256 of a certificate or key in hex, or the path of its PEM file. */
export const FingerprintOrPath = checkedText(
  (text) => {
    if (/^[0-9a-f]{64}$/.test(text) || (/[./]/.test(text) && text.length <= 4096 && !text.includes('\0')))
      return undefined;
    return {
      message: `"${text.slice(0, 80)}" is neither a fingerprint nor a path`,
      mend: 'write 64 lower-case hex digits (SHA-256) without colons, or the path of a PEM file',
    };
  },
  { format: 'fingerprint-or-path' },
);

/** An absolute URI, kept exactly as written. */
export const Uri = checkedText((text) => {
  if (/^[a-z][a-z0-9+.-]*:[^\s]+$/i.test(text) && text.length <= 2048) return undefined;
  return { message: 'not an absolute URI', mend: 'write a full URI such as https://example.com/path' };
});

/** One value or a list of them; parsed to a list. `least` 0 lets the list be empty. */
export function oneOrMore<T extends z.ZodType>(item: T, most = 1000, least = 1) {
  return z.union([item, z.array(item).min(least).max(most)]).transform((value): z.output<T>[] => {
    return Array.isArray(value) ? value : [value as z.output<T>];
  });
}

/** Where a listener binds; port 0 takes a free one. */
export function listen(port: number) {
  return z.strictObject({
    host: z.string().min(1).max(255).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all.'),
    port: wholeNumber(0, 65_535).default(port).describe('Port; 0 takes a free one.'),
  });
}

/** A refinement: an object holds exactly one of the given sets of keys, each whole. */
export function exactlyOneForm(forms: readonly (readonly string[])[]) {
  const wanted = forms.map((form) => form.join(' with ')).join(', or ');
  return (value: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    const begun = forms.filter((form) => form.some((key) => value[key] !== undefined));
    const [only] = begun;
    const missing = only?.filter((key) => value[key] === undefined) ?? [];
    if (begun.length === 1 && missing.length === 0) return;
    const mend = `write exactly one of: ${wanted}`;
    if (begun.length === 0) context.addIssue({ code: 'custom', message: 'nothing is given', params: { mend } });
    else if (begun.length > 1) {
      const given = begun.map((form) => form.join(' with ')).join(' and ');
      context.addIssue({ code: 'custom', message: `${given} exclude each other`, params: { mend } });
    } else {
      const message = `${missing.join(' and ')} is missing beside ${only?.find((key) => value[key] !== undefined)}`;
      context.addIssue({ code: 'custom', message, params: { mend } });
    }
  };
}
