import type { Inventory, OperatingSystem, Package } from '#sbom/inventory.ts';
import { type DeclaredLicense, readLicense } from '#sbom/spdx-licenses.ts';

/** A component of CycloneDX 1.6, as far as this program writes it. */
export interface Component {
  readonly type: 'container' | 'operating-system' | 'library';
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly hashes?: readonly { readonly alg: 'SHA-256' | 'SHA-512'; readonly content: string }[];
  readonly licenses?: readonly LicenseChoice[];
  readonly purl?: string;
  readonly components?: readonly Component[];
  readonly evidence?: { readonly occurrences: readonly { readonly location: string }[] };
  readonly properties?: readonly Property[];
}

export interface Property {
  readonly name: string;
  readonly value: string;
}

type LicenseChoice =
  | { readonly license: { readonly id: string } | { readonly name: string } }
  | { readonly expression: string };

// One package can lie in thousands of places; the first ones tell where to look.
export const MAX_OCCURRENCES = 50;

/**
 * The components of one inventory: its operating system, then its packages. `scope` goes in front of each bom-ref, so
 * that two platforms of one index may hold the same package.
 */
export function inventoryComponents(inventory: Inventory, scope: string): Component[] {
  const packages = inventory.packages.map((found) => packageComponent(found, scope));
  return inventory.os ? [systemComponent(inventory.os, scope), ...packages] : packages;
}

function systemComponent(os: OperatingSystem, scope: string): Component {
  return {
    type: 'operating-system',
    'bom-ref': `${scope}os:${[os.id, os.versionId].filter(Boolean).join('-')}`,
    name: os.id,
    ...(os.versionId === undefined ? {} : { version: os.versionId }),
    ...(os.name === undefined ? {} : { description: os.name }),
  };
}

function packageComponent(found: Package, scope: string): Component {
  // The distribution is told by the package URL; a scope of npm is part of the name.
  const group = found.type === 'npm' ? found.namespace : undefined;
  const licenses = licenseChoices(found.licenses);
  return {
    type: 'library',
    'bom-ref': `${scope}${found.purl}`,
    ...(group === undefined ? {} : { group }),
    name: found.name,
    version: found.version,
    ...(licenses.length === 0 ? {} : { licenses }),
    purl: found.purl,
    evidence: { occurrences: found.paths.slice(0, MAX_OCCURRENCES).map((location) => ({ location })) },
    properties: [{ name: 'attestry:layer:digest', value: found.layer }],
  };
}

/** CycloneDX allows either one expression or a list of licences, never both. */
function licenseChoices(declared: readonly string[]): LicenseChoice[] {
  const read = declared.map(readLicense);
  const only = read.length === 1 ? read[0] : undefined;
  if (only?.kind === 'expression') return [{ expression: only.expression }];
  return read.map(licenseChoice);
}

function licenseChoice(license: DeclaredLicense): LicenseChoice {
  switch (license.kind) {
    case 'id':
      return { license: { id: license.id } };
    case 'name':
      return { license: { name: license.name } };
    case 'expression':
      return { license: { name: license.expression } };
  }
}
