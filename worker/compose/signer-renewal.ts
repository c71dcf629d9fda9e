import type { LiveInstallation } from '#compose/live-installation.ts';
import type { FormerSigner, SigningIdentity } from '#engine/engine-ports.ts';
import { sha256Hex } from '#model/digest.ts';
import { type AppError, toAppError } from '#model/errors.ts';
import type { SecretResolver } from '#model/secret.ts';
import type { SignerOptions } from '#signing/options.ts';
import type { FixedSigner } from '#signing/signer.ts';

/** A certificate that took over from another one. */
export interface Renewal {
  readonly id: string;
  readonly from: FixedSigner;
  readonly to: FixedSigner;
}

export interface SignerRenewalParts {
  readonly signers: readonly SignerOptions[];
  readonly live: Pick<LiveInstallation, 'signers' | 'replace'>;
  readonly secrets: SecretResolver;
  readFile(path: string): Promise<Buffer>;
  /** Reads and lints a signer anew, as at the start. */
  reload(id: string): Promise<SigningIdentity>;
  /** Told after the new one signs. */
  onRenewed(renewal: Renewal): Promise<void>;
  /** Told once for each content: the present certificate goes on. */
  onRefused(id: string, error: AppError): void;
}

export interface SignerRenewal {
  /** Looks whether the files of a certificate changed, and takes over those that are sound. */
  check(): Promise<void>;
}

type CertifiedOptions = Extract<SignerOptions, { type: 'x509' }>;

/**
 * Renews certificates from where they were read, without a restart. A new one is linted, with its chain and key, before it
 * takes over; until then, and where it is refused, the present one signs on.
 */
export function createSignerRenewal(parts: SignerRenewalParts): SignerRenewal {
  const certified = parts.signers.filter((option): option is CertifiedOptions => option.type === 'x509');
  /** What was judged last, by signer: a content that was refused is not judged again each minute. */
  const judged = new Map<string, string>();

  async function check(option: CertifiedOptions): Promise<void> {
    const { id } = option;
    const content = await contentOf(option, parts);
    if (content === judged.get(id)) return;
    const present = parts.live.signers.get(id);
    if (present?.signer.kind !== 'fixed') return;
    try {
      const next = await parts.reload(id);
      judged.set(id, content);
      await takeOver(id, present, present.signer, next);
    } catch (thrown) {
      const error = toAppError(thrown);
      // A key service that is away says nothing of the certificate: it is asked again.
      if (error.class === 'permanent') judged.set(id, content);
      parts.onRefused(id, error);
    }
  }

  async function takeOver(
    id: string,
    present: SigningIdentity,
    from: FixedSigner,
    next: SigningIdentity,
  ): Promise<void> {
    const to = next.signer;
    if (to.kind !== 'fixed' || chainOf(to) === chainOf(from)) return;
    // Evidence of the one that goes stays our own.
    const gone: readonly FormerSigner[] =
      to.fingerprint === from.fingerprint ? [] : [{ fingerprint: from.fingerprint, ...pemOf(from) }];
    const former = [...next.former, ...present.former, ...gone];
    parts.live.replace(id, { ...next, former: unique(former, to.fingerprint) });
    await parts.onRenewed({ id, from, to });
  }

  return {
    check: async () => {
      for (const option of certified) await check(option);
    },
  };
}

/** Digest of all that makes the signer; a file that cannot be read is a content too. */
async function contentOf(
  { key, passphrase, certificate, chain }: CertifiedOptions,
  { readFile, secrets }: Pick<SignerRenewalParts, 'readFile' | 'secrets'>,
): Promise<string> {
  const read = async (path: string) => (await readFile(path).catch(() => undefined)) ?? 'unreadable';
  const secret = (reference: string | undefined) => {
    if (reference === undefined || !/^(?:file|env):/.test(reference)) return reference ?? '';
    try {
      return secrets(reference).reveal();
    } catch {
      return 'unreadable';
    }
  };
  const pieces = [await read(certificate), await read(chain), secret(key), secret(passphrase)];
  return sha256Hex(pieces.map((piece) => sha256Hex(piece)).join());
}

function chainOf({ chain }: FixedSigner): string {
  return chain.map(({ fingerprint }) => fingerprint).join();
}

function pemOf({ chain: [leaf] }: FixedSigner): Pick<FormerSigner, 'pem'> {
  return leaf ? { pem: leaf.pem } : {};
}

function unique(former: readonly FormerSigner[], present: string): readonly FormerSigner[] {
  const byFingerprint = new Map(former.map((each) => [each.fingerprint, each]));
  byFingerprint.delete(present);
  return [...byFingerprint.values()];
}
