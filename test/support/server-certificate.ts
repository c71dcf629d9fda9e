import { caDefaults, EKU, issueFrom, selfSigned } from './pki.ts';

/** A private CA and a certificate for `localhost` that it issued, all PEM. */
export interface ServerCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export function makeServerCertificate(): ServerCertificate {
  const root = selfSigned({ subject: 'Test Server CA', ...caDefaults() });
  const leaf = issueFrom(root, {
    subject: 'localhost',
    extendedKeyUsage: [EKU.serverAuth],
    subjectAlternativeNames: [{ type: 'dns', value: 'localhost' }],
  });
  return { ca: root.pem, certificate: leaf.pem, key: leaf.keyPem };
}
