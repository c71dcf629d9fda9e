import type { CommandIo } from '#cli/command.ts';
import type { CommandKey } from '#cli/open-key.ts';
import { loadParts } from '#cli/run-processes.ts';
import { createKeySettings } from '#compose/key-settings.ts';
import { createKeys } from '#compose/keys.ts';
import { createOutbound } from '#compose/outbound.ts';
import type { RequestedName } from '#crypto/certificate-request.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';
import type { SignerOptions } from '#signing/options.ts';

export interface SignerKey extends CommandKey {
  /** URI and e-mail names of its present certificate. */
  readonly names: readonly RequestedName[];
}

export type FixedSignerOptions = Extract<SignerOptions, { key: string }>;

/** A configured signer that has a key of its own. @throws AppError `config-invalid`. */
export function fixedSigner(signers: readonly SignerOptions[], id: string): FixedSignerOptions {
  const option = signers.find((each) => each.id === id);
  if (option === undefined) {
    const mend = `there are: ${signers.map((each) => each.id).join(', ') || 'none'}`;
    throw new AppError('config-invalid', `there is no signer "${id}"`, { field: 'SIGNER', mend });
  }
  if (option.type !== 'keyless') return option;
  throw new AppError('config-invalid', `the signer "${id}" is keyless: its certificates are made for each signature`, {
    field: 'SIGNER',
    mend: 'name a signer of the type x509 or key',
  });
}

/** The key of a configured signer, as a worker would open it; for one run of a command. */
export async function openSignerKey(io: CommandIo, config: string, id: string): Promise<SignerKey> {
  const parts = await loadParts(config, 'certificate', 'none', io);
  const option = fixedSigner(parts.config.signers, id);
  const stack = new AsyncDisposableStack();
  try {
    const outbound = stack.use(createOutbound(parts));
    const keys = stack.use(createKeys({ ...parts, outbound }));
    const settings = createKeySettings(option.access ?? {}, parts.env, parts.secrets);
    const { passphrase } = option;
    const key = await keys.open({
      reference: option.key,
      settings,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    return { key, names: await presentNames(option, io), [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function presentNames(option: FixedSignerOptions, io: CommandIo): Promise<readonly RequestedName[]> {
  if (option.type === 'key') return [];
  const [leaf] = parseCertificates((await io.readFile(option.certificate)).toString('utf8'));
  return (leaf?.subjectAlternativeNames ?? []).flatMap(({ type, value }) =>
    type === 'uri' || type === 'email' ? [{ type, value }] : [],
  );
}
