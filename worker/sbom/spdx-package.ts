import type { OperatingSystem, Package } from '#sbom/inventory.ts';

/** A package of SPDX 2.3, as far as this program writes it. */
export interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo?: string;
  readonly summary?: string;
  readonly downloadLocation: 'NOASSERTION';
  readonly filesAnalyzed: false;
  readonly primaryPackagePurpose: 'CONTAINER' | 'OPERATING_SYSTEM' | 'LIBRARY';
  readonly sourceInfo?: string;
  readonly checksums?: readonly { readonly algorithm: 'SHA256' | 'SHA512'; readonly checksumValue: string }[];
  readonly licenseConcluded: 'NOASSERTION';
  readonly licenseDeclared: string;
  readonly copyrightText: 'NOASSERTION';
  readonly comment?: string;
  readonly externalRefs?: readonly {
    readonly referenceCategory: 'PACKAGE-MANAGER';
    readonly referenceType: 'purl';
    readonly referenceLocator: string;
  }[];
}

// One package can lie in thousands of places; the first ones tell where to look.
const MAX_PLACES = 50;

const UNJUDGED = {
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  licenseConcluded: 'NOASSERTION',
  copyrightText: 'NOASSERTION',
} as const;

export function systemPackage(os: OperatingSystem, id: string): SpdxPackage {
  return {
    SPDXID: id,
    name: os.id,
    ...(os.versionId === undefined ? {} : { versionInfo: os.versionId }),
    ...(os.name === undefined ? {} : { summary: os.name }),
    ...UNJUDGED,
    primaryPackagePurpose: 'OPERATING_SYSTEM',
    licenseDeclared: 'NOASSERTION',
  };
}

/** `licenseId` gives what stands for a declared licence in an expression. */
export function packageOf(found: Package, id: string, licenseId: (text: string) => string): SpdxPackage {
  const scoped = found.type === 'npm' && found.namespace !== undefined;
  const places = found.paths.slice(0, MAX_PLACES).join(', ');
  return {
    SPDXID: id,
    name: scoped ? `${found.namespace}/${found.name}` : found.name,
    versionInfo: found.version,
    ...UNJUDGED,
    primaryPackagePurpose: 'LIBRARY',
    sourceInfo: `layer ${found.layer}: ${places}`,
    licenseDeclared: found.licenses.length === 0 ? 'NOASSERTION' : found.licenses.map(licenseId).join(' AND '),
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: found.purl }],
  };
}
