import { createPublicKey, X509Certificate } from 'node:crypto';
import { createKeySettings } from '#compose/key-settings.ts';
import { loadKeylessSigner } from '#compose/keyless.ts';
import type { SignerFiles } from '#compose/signer-files.ts';
import { certificateAttestor } from '#compose/signer-trust.ts';
import { type LoadedWitness, loadWitness } from '#compose/witnesses.ts';
import type { FormerSigner, SigningIdentity } from '#engine/engine-ports.ts';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { createKeySigner } from '#signing/key.ts';
import type { SigningKey } from '#signing/keys/signing-key.ts';
import type { SignerOptions, WitnessOptions } from '#signing/options.ts';
import { createX509Signer } from '#signing/x509.ts';

/** What the configuration says of signing. */
export interface SigningConfig {
  readonly witnesses: readonly WitnessOptions[];
  readonly signers: readonly SignerOptions[];
}

/**
 * The configured signers, each linted and tried: a bad certificate or a key of another one stops the start.
 * @throws AppError `certificate-refused`, `key-mismatch`, `key-unreadable`, `config-invalid`, naming the signer.
 */
export async function loadSigners(
  config: SigningConfig,
  files: SignerFiles,
): Promise<ReadonlyMap<string, SigningIdentity>> {
  return (await openSigners(config, files)).identities;
}

export interface OpenedSigners {
  readonly identities: ReadonlyMap<string, SigningIdentity>;
  /** Reads, lints and tries one of them anew. @throws AppError as `loadSigners`. */
  reload(id: string): Promise<SigningIdentity>;
}

/** The configured signers, and a way to read one of them again from where it was read. */
export async function openSigners({ witnesses, signers }: SigningConfig, files: SignerFiles): Promise<OpenedSigners> {
  const loaded = new Map<string, LoadedWitness>();
  for (const option of witnesses) {
    loaded.set(option.id, await naming(`witnesses.${option.id}`, () => loadWitness(option, files)));
  }
  async function load(option: SignerOptions): Promise<SigningIdentity> {
    const named = option.witnesses.flatMap((id) => loaded.get(id) ?? []);
    const identity = await naming(`signers.${option.id}`, () => loadSigner(option, named, files));
    const former: FormerSigner[] = [];
    for (const each of option.former) former.push(await loadFormer(each, files));
    return { ...identity, former };
  }

  const identities = new Map<string, SigningIdentity>();
  for (const option of signers) identities.set(option.id, await load(option));
  return {
    identities,
    reload: async (id) => {
      const option = signers.find((each) => each.id === id);
      if (!option) throw new AppError('internal', `there is no signer ${id}`);
      return await load(option);
    },
  };
}

/** A signer, with who is believed of it where that is more than its own key or root. */
async function loadSigner(
  option: SignerOptions,
  loaded: readonly LoadedWitness[],
  files: SignerFiles,
): Promise<Pick<SigningIdentity, 'signer' | 'trust'>> {
  const { id } = option;
  const witnesses = loaded.map(({ witness }) => witness);
  switch (option.type) {
    case 'key':
      return { signer: createKeySigner({ id, key: await openKey(option, files), witnesses }) };
    case 'x509': {
      const certificatePem = (await files.readFile(option.certificate)).toString('utf8');
      const chainPem = (await files.readFile(option.chain)).toString('utf8');
      const key = await openKey(option, files);
      const signer = createX509Signer({ id, key, witnesses, certificatePem, chainPem, now: files.now() });
      const trust = certificateAttestor(signer, loaded);
      return { signer, ...(trust ? { trust } : {}) };
    }
    case 'keyless':
      return await loadKeylessSigner(option, loaded, files);
  }
}

/** Opens the key of a fixed signer. */
async function openKey(
  { key, passphrase, access = {} }: Extract<SignerOptions, { key: string }>,
  { keys, secrets, env }: SignerFiles,
): Promise<SigningKey> {
  const settings = createKeySettings(access, env, secrets);
  return await keys.open({ reference: key, settings, ...(passphrase === undefined ? {} : { passphrase }) });
}

async function loadFormer(text: string, files: SignerFiles): Promise<FormerSigner> {
  if (/^[0-9a-f]{64}$/.test(text)) return { fingerprint: text };
  const pem = (await files.readFile(text)).toString('utf8');
  if (pem.includes('CERTIFICATE')) return { fingerprint: sha256Hex(new X509Certificate(pem).raw), pem };
  return { fingerprint: sha256Hex(createPublicKey(pem).export({ type: 'spki', format: 'der' })), pem };
}

async function naming<Result>(field: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.field !== undefined) throw error;
    const { code, message, mend } = error;
    throw new AppError(code, message, { field, cause: error, ...(mend === undefined ? {} : { mend }) });
  }
}
