import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { CommandIo } from '#cli/command.ts';
import { AppError } from '#model/errors.ts';
import { isRemoteKey } from '#model/key-reference.ts';
import type { KeyRing } from '#signing/keys/key-ring.ts';
import type { SignerOptions } from '#signing/options.ts';

/**
 * Keys for a check that sends nothing: one that stays in a service or token is taken for the one of its certificate,
 * which so is linted all the same. Whether it can be had, and belongs to it, is found at the start of a worker.
 */
export function presumeRemote(signer: SignerOptions, keys: KeyRing, io: Pick<CommandIo, 'readFile'>): KeyRing {
  if (signer.type === 'keyless' || !isRemoteKey(signer.key)) return keys;
  return {
    open: async () => ({
      publicKey:
        signer.type === 'x509'
          ? new X509Certificate(await io.readFile(signer.certificate)).publicKey
          : generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey,
      sign: () => Promise.reject(new AppError('internal', 'a check signs nothing')),
    }),
    [Symbol.asyncDispose]: async () => {},
  };
}
