import { AppError } from '#model/errors.ts';
import { readPublicKey } from '#crypto/keys.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import type { CommandIo } from '#cli/command.ts';
import { readText } from '#cli/read-text.ts';
import type { Attestor } from '#verification/attestor.ts';

export interface TrustFlags {
  readonly key?: string | undefined;
  readonly 'ca-roots'?: string | undefined;
  readonly 'certificate-chain'?: string | undefined;
  readonly 'certificate-identity'?: string | undefined;
  readonly 'require-tlog'?: boolean | undefined;
}

/**
 * Who is believed, from the flags that cosign's users know. `--ca-roots` trusts every certificate of the file;
 * of `--certificate-chain` the self-signed ones are trusted and the others help to build the path.
 */
export async function readAttestor(io: CommandIo, flags: TrustFlags): Promise<Attestor> {
  const transparencyLog = flags['require-tlog'] ? 'required' : 'ignored';
  if (flags.key !== undefined) {
    const key = readPublicKey(await readText(io, '--key', flags.key));
    return { kind: 'public-key', key, profile: 'strict', transparencyLog };
  }
  const flag = flags['ca-roots'] === undefined ? '--certificate-chain' : '--ca-roots';
  const certificates = parseCertificates(
    await readText(io, flag, flags['ca-roots'] ?? flags['certificate-chain'] ?? ''),
  );
  const anchors = flags['ca-roots'] === undefined ? certificates.filter((each) => each.selfIssued) : certificates;
  if (anchors.length === 0) {
    throw new AppError('certificate-refused', 'the chain holds no self-signed root', {
      field: flag,
      mend: 'append the root certificate to the file',
    });
  }
  const identity = flags['certificate-identity'];
  return {
    kind: 'certificate-chain',
    anchors,
    intermediates: certificates.filter((each) => !anchors.includes(each)),
    profile: 'strict',
    ...(identity === undefined ? {} : { identity }),
    transparencyLog,
    certificateTimestamp: 'ignored',
  };
}
