import type { TrustOptions } from '#trust/options.ts';
import { type PemLog, readPemMaterial } from '#verification/pem-material.ts';
import { parseTrustedRoot, type TrustedRoot } from '#verification/trusted-root.ts';

export type ReadFile = (path: string) => Promise<Buffer>;

/** The material of a trust that lies in files: what rules ask of it is another question. */
export async function readTrustFiles(
  option: TrustOptions,
  file: string,
  kind: 'certificateChain' | 'caRoots' | 'key' | 'trustedRoot',
  readFile: ReadFile,
): Promise<TrustedRoot> {
  const text = async (path: string) => (await readFile(path)).toString('utf8');
  if (kind === 'trustedRoot') return parseTrustedRoot(await readFile(file));
  const logs = option.logs.map(async (log): Promise<PemLog> => ({ ...log, key: await text(log.key) }));
  return readPemMaterial({
    ...(kind === 'certificateChain' ? { chain: await text(file) } : {}),
    ...(kind === 'caRoots' ? { roots: await text(file) } : {}),
    logs: await Promise.all(logs),
    certificateLogs: await Promise.all(option.certificateLogs.map(text)),
    timestampAuthorities: await Promise.all(option.timestampAuthorities.map(text)),
  });
}
