import { createPublicKey, X509Certificate } from 'node:crypto';
import type { FormerSigner, SigningIdentity } from '#engine/engine-ports.ts';
import { sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { SecretResolver } from '#model/secret.ts';
import { createKeySigner } from '#signing/key.ts';
import type { SignerOptions } from '#signing/options.ts';
import type { ConfiguredSigner } from '#signing/signer.ts';
import { createX509Signer } from '#signing/x509.ts';

export interface SignerFiles {
  readonly secrets: SecretResolver;
  readFile(path: string): Promise<Buffer>;
  readonly now: Date;
}

/**
 * The configured signers, each linted and tried: a bad certificate or a key of another one stops the start.
 * @throws AppError `certificate-refused`, `key-mismatch`, `key-unreadable`, naming the signer.
 */
export async function loadSigners(
  options: readonly SignerOptions[],
  files: SignerFiles,
): Promise<ReadonlyMap<string, SigningIdentity>> {
  const identities = new Map<string, SigningIdentity>();
  for (const option of options) {
    const signer = await naming(`signers.${option.id}`, () => loadSigner(option, files));
    const former: FormerSigner[] = [];
    for (const each of option.former) former.push(await loadFormer(each, files));
    identities.set(option.id, { signer, former });
  }
  return identities;
}

async function loadSigner(option: SignerOptions, files: SignerFiles): Promise<ConfiguredSigner> {
  const passphrase = option.passphrase === undefined ? undefined : files.secrets(option.passphrase).reveal();
  const key = {
    id: option.id,
    keyPem: files.secrets(option.key).reveal(),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  switch (option.type) {
    case 'key':
      return createKeySigner(key);
    case 'x509': {
      const certificatePem = (await files.readFile(option.certificate)).toString('utf8');
      const chainPem = (await files.readFile(option.chain)).toString('utf8');
      return createX509Signer({ ...key, certificatePem, chainPem, now: files.now });
    }
  }
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
