import { identityRule } from '#compose/identity-rule.ts';
import { type ReadFile, readTrustFiles } from '#compose/trust-files.ts';
import { readPublicKey } from '#crypto/keys.ts';
import { sha256Hex } from '#model/digest.ts';
import type { TrustOptions } from '#trust/options.ts';
import type { Attestor, CertificateAttestor, KeyAttestor, RevocationRule } from '#verification/attestor.ts';
import { liveAttestor } from '#verification/live-attestor.ts';
import { materialAttestor, rootAttestor, witnessedKeyAttestor } from '#verification/root-attestor.ts';

/** The kinds of trust whose material lies in files. */
export type TrustFileAnchors = Extract<TrustOptions['anchors'], { file: string }>;

/** A trust from files, which may change while it is asked. */
export interface FileTrust {
  readonly attestor: Attestor;
  /**
   * Reads all of its files again, and takes them over where they changed: all of them or none.
   * @returns whether they changed
   * @throws AppError for files that cannot be read; the material that there is then stays.
   */
  reload(): Promise<boolean>;
}

interface Held<Kind> {
  readonly attestor: Kind;
  /** Of the bytes of all files. */
  readonly content: string;
}

/** @throws AppError for files that cannot be read, and expressions that are none. */
export async function openFileTrust(
  option: TrustOptions,
  anchors: TrustFileAnchors,
  readFile: ReadFile,
  rule: RevocationRule | undefined,
): Promise<FileTrust> {
  if (anchors.kind === 'key') {
    return await open('public-key', option, readFile, (read) => keyTrust(option, anchors, read));
  }
  const { kind, file } = anchors;
  const identity = identityRule(option.identity, `trusts.${option.id}.identity`);
  const lists = rule ? { revocation: rule } : {};
  return await open('certificate-chain', option, readFile, async (read) => {
    const material = await readTrustFiles(option, file, kind, read);
    const made = kind === 'trustedRoot' ? rootAttestor : materialAttestor;
    return { ...made(material, identity, option), ...lists };
  });
}

async function keyTrust(option: TrustOptions, { file, kind }: TrustFileAnchors, read: ReadFile): Promise<KeyAttestor> {
  const key = readPublicKey((await read(file)).toString('utf8'));
  return witnessedKeyAttestor(key, await readTrustFiles(option, file, kind, read), option);
}

async function open<Kind extends CertificateAttestor | KeyAttestor>(
  kind: Kind['kind'],
  option: TrustOptions,
  readFile: ReadFile,
  make: (read: ReadFile) => Promise<Kind>,
): Promise<FileTrust> {
  const load = async (): Promise<Held<Kind>> => {
    const digests = new Map<string, string>();
    const attestor = await make(async (path) => {
      const bytes = await readFile(path);
      digests.set(path, sha256Hex(bytes));
      return bytes;
    });
    return { attestor, content: JSON.stringify([...digests].sort()) };
  };
  let held = await load();
  // A process that starts with other material judges by another policy, as its digest tells.
  const source = sha256Hex(JSON.stringify([option, held.content]));
  return {
    attestor: liveAttestor<Kind>({ kind, source, current: () => held.attestor }),
    reload: async () => {
      const next = await load();
      if (next.content === held.content) return false;
      held = next;
      return true;
    },
  };
}
