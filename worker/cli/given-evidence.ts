import type { CommandIo } from '#cli/command.ts';
import { givenType, type RequestedType } from '#cli/evidence-type.ts';
import type { ReadyStatement } from '#engine/ready-statement.ts';
import type { Digest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { RepositoryRef } from '#model/image-ref.ts';
import { COSIGN_CUSTOM } from '#model/media-types.ts';

/** What `attest --predicate` was told. */
export interface GivenFlags {
  readonly type?: readonly string[] | undefined;
  readonly predicate?: string | undefined;
  readonly statement?: boolean | undefined;
  readonly append?: boolean | undefined;
}

/** A file that is to be signed as evidence of an image. */
export interface GivenFile {
  readonly requested?: RequestedType;
  /** The file is a whole in-toto statement. */
  readonly whole: boolean;
  readonly bytes: Uint8Array;
}

/** Reads the file of `--predicate`; undefined when there is none. @throws AppError `usage`, `config-invalid`. */
export async function readGiven(io: CommandIo, flags: GivenFlags): Promise<GivenFile | undefined> {
  const { predicate, type = [], statement = false, append } = flags;
  if (predicate === undefined) {
    const stray = statement ? '--statement' : append ? '--append' : undefined;
    if (stray === undefined) return undefined;
    throw new AppError('usage', `${stray} needs --predicate`, { mend: 'name the file with --predicate FILE' });
  }
  const [only, second] = type;
  if (second !== undefined) throw new AppError('usage', 'one --type only beside --predicate');
  if (only === undefined && !statement) {
    throw new AppError('usage', '--predicate needs --type', {
      mend: 'name the type of the predicate, or say --statement when the file is a whole in-toto statement',
    });
  }
  const bytes = await readBytes(io, predicate);
  return { ...(only === undefined ? {} : { requested: givenType(only) }), whole: statement, bytes };
}

/** A given file as the statement that is wanted on an image. @throws AppError `statement-refused` naming the member. */
export async function givenWish(
  { requested, whole, bytes }: GivenFile,
  about: RepositoryRef & { readonly digest: Digest },
  append: boolean,
  now: Date,
): Promise<RequestedType & { readonly ready: ReadyStatement }> {
  const [{ checkStatement, predicateStatement, statementOf }, { readyStatement }] = await Promise.all([
    import('#engine/handed-in.ts'),
    import('#engine/ready-statement.ts'),
  ]);
  const type = requested?.predicateType;
  const { payload, predicateType } = whole
    ? checkStatement(about, bytes, type)
    : type === COSIGN_CUSTOM
      ? statementOf(about, type, customPredicate(bytes, now))
      : predicateStatement(about, type ?? '', bytes);
  return { ...givenType(predicateType), ready: readyStatement(about.digest, payload, !append) };
}

/** What cosign makes of `--type custom`: the file's text, whatever it holds, and when it was taken (interop D.1). */
export function customPredicate(bytes: Uint8Array, now: Date): object {
  try {
    const Data = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { Data, Timestamp: now.toISOString() };
  } catch {
    throw new AppError('statement-refused', 'the predicate is not UTF-8, so it is no text to be signed', {
      field: '--predicate',
      mend: 'encode it, e.g. in base64',
    });
  }
}

async function readBytes(io: CommandIo, file: string): Promise<Uint8Array> {
  try {
    return await io.readFile(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new AppError('config-invalid', `${file}: ${code === 'ENOENT' ? 'there is no such file' : code}`, {
      field: '--predicate',
      mend: 'name a readable file',
      cause: error,
    });
  }
}
