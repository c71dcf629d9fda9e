import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Certificate } from '#crypto/certificate.ts';
import type { LogKey } from '#crypto/log-key.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { splitTimestampAuthority } from '#crypto/timestamp-authority.ts';
import type { SignerKind } from '#model/layout-choice.ts';
import type { Testimony } from '#model/reading-table.ts';
import { type Attestor, exactly, type WitnessTrust } from '#verification/attestor.ts';
import { pemOf } from '../../../support/pki.ts';
import { identityOf, type Trust } from '../cell.ts';

interface LogEntry {
  readonly baseUrl: string;
  readonly publicKey: { readonly rawBytes: string };
  readonly logId: { readonly keyId: string };
}

/** Whom our strict reading believes of this kind of signer, and what it asks of its witnesses. */
export async function strictAttestor(
  kind: SignerKind,
  testimonies: readonly Testimony[],
  trust: Trust,
): Promise<Attestor> {
  const { stack, files } = trust;
  const root = JSON.parse(await readFile(stack.trust.trustedRoot, 'utf8'));
  const logs = (entries: readonly LogEntry[]) => entries.map(logKey);
  const stamps = splitTimestampAuthority(await readFile(stack.keys.timestamps.chain, 'utf8'));
  const witnesses: WitnessTrust = {
    // Rekor v2 has no place at cosign's tags, so it cannot be asked for in both layouts.
    transparencyLog: testimonies.includes('rekor-v1') ? 'required' : 'optional',
    logKeys: logs(root.tlogs),
    timestampAuthorities: [stamps],
    ...(testimonies.length > 0 ? { observers: { source: 'any', least: 1 } } : {}),
  };
  switch (kind) {
    case 'key': {
      const key = createPublicKey(await readFile(files.key.publicKey, 'utf8'));
      return { kind: 'public-key', key, profile: 'strict', ...witnesses };
    }
    case 'x509':
    case 'keyless': {
      const [authority, certificateTimestamp] =
        kind === 'x509' ? [files.x509.pki.chainPem, 'ignored' as const] : [fulcioChain(trust), 'required' as const];
      const { subject, issuer } = identityOf(kind, trust);
      const isRoot = ({ selfIssued }: Certificate) => selfIssued;
      const chain = parseCertificates(authority);
      return {
        kind: 'certificate-chain',
        authorities: [{ anchors: chain.filter(isRoot), intermediates: chain.filter((each) => !isRoot(each)) }],
        profile: 'strict',
        identity: { subject: exactly(subject), ...(issuer === undefined ? {} : { issuer: exactly(issuer) }) },
        certificateTimestamp,
        certificateLogKeys: logs(root.ctlogs),
        ...witnesses,
      };
    }
  }
}

function fulcioChain({ stack }: Trust): string {
  const { issuer, root } = stack.keys.fulcio;
  return `${issuer.pem}${root.pem}`;
}

function logKey({ baseUrl, publicKey, logId }: LogEntry): LogKey {
  return {
    id: Buffer.from(logId.keyId, 'base64').toString('hex'),
    key: createPublicKey(pemOf(Buffer.from(publicKey.rawBytes, 'base64'), 'PUBLIC KEY')),
    origin: new URL(baseUrl).hostname,
  };
}
