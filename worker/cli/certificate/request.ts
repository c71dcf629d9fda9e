import { openSignerKey, type SignerKey } from '#cli/certificate/signer-key.ts';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { openCommandKey } from '#cli/open-key.ts';
import { configFile } from '#cli/run-processes.ts';
import {
  makeCertificateRequest,
  nameComplaint,
  type RequestedName,
  readSubject,
  type SubjectAttribute,
} from '#crypto/certificate-request.ts';
import { AppError } from '#model/errors.ts';
import { keyWarning } from '#signing/keys/key-kinds.ts';

export interface RequestFlags {
  readonly key?: string | undefined;
  readonly signer?: string | undefined;
  readonly config?: string | undefined;
  readonly uri?: readonly string[] | undefined;
  readonly email?: readonly string[] | undefined;
  readonly subject?: string | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** `attestry certificate request`: asks a CA for a signing certificate of a key, wherever it lies. */
export async function requestCommand(rest: readonly string[], flags: RequestFlags, io: CommandIo): Promise<number> {
  if (rest.length > 0) throw new AppError('usage', `"${rest[0]}" is not expected here`, { mend: 'see --help' });
  if ((flags.key === undefined) === (flags.signer === undefined)) {
    throw new AppError('usage', 'give one of --key and --signer', { mend: '--signer takes one of the configuration' });
  }
  const given = namesOf(flags);
  const wanted = flags.subject === undefined ? undefined : subjectOf(flags.subject);
  await using opened = await openRequested(flags, io);
  const names = given.length > 0 ? given : opened.names;
  const [first] = names;
  if (first === undefined) {
    throw new AppError('usage', 'nothing says whom the certificate names', {
      mend: 'add --uri https://example.com/builder or --email signer@example.com',
    });
  }
  const warning = keyWarning(opened.key.publicKey);
  if (warning !== undefined && !flags.quiet) io.stderr(`warning: ${warning}\n`);
  const subject = wanted ?? [{ type: 'CN', value: first.value.slice(0, 64) }];
  const request = await makeCertificateRequest({ subject, names }, opened.key.publicKey, (data) =>
    opened.key.sign(data),
  );
  io.stdout(flags.json ? `${JSON.stringify({ request, names }, null, 2)}\n` : request);
  return EXIT.ok;
}

async function openRequested({ key = '', signer, config }: RequestFlags, io: CommandIo): Promise<SignerKey> {
  if (signer !== undefined) return await openSignerKey(io, configFile(config, io), signer);
  return { names: [], ...(await openCommandKey(io, '--key', key)) };
}

const NAME_MENDS = {
  uri: 'write the whole address, e.g. https://example.com/builder',
  email: 'write e.g. signer@example.com',
} as const;

function namesOf({ uri = [], email = [] }: RequestFlags): readonly RequestedName[] {
  const names: RequestedName[] = [
    ...uri.map((value) => ({ type: 'uri', value }) as const),
    ...email.map((value) => ({ type: 'email', value }) as const),
  ];
  for (const name of names) {
    const complaint = nameComplaint(name);
    if (complaint !== undefined) {
      throw new AppError('usage', complaint, { field: `--${name.type}`, mend: NAME_MENDS[name.type] });
    }
  }
  return names;
}

function subjectOf(text: string): readonly SubjectAttribute[] {
  const read = readSubject(text);
  if (typeof read !== 'string') return read;
  throw new AppError('usage', read, {
    field: '--subject',
    mend: 'write e.g. "CN=Release signing,O=Example"',
  });
}
