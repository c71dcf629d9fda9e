import { formatPlatform } from '#model/descriptor.ts';
import { type Digest, digestHex } from '#model/digest.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import { type BomInput, imagePurl, type PlatformInventory } from '#sbom/cyclonedx.ts';
import type { Inventory } from '#sbom/inventory.ts';
import { nameUuid } from '#sbom/name-uuid.ts';
import { createLicenseTexts, type ExtractedLicense } from '#sbom/spdx-license-texts.ts';
import { packageOf, type SpdxPackage, systemPackage } from '#sbom/spdx-package.ts';

interface Relationship {
  readonly spdxElementId: string;
  readonly relationshipType: 'DESCRIBES' | 'CONTAINS';
  readonly relatedSpdxElement: string;
}

/** An SPDX 2.3 document in its JSON form, as far as this program writes it. */
export interface SpdxDocument {
  readonly spdxVersion: 'SPDX-2.3';
  readonly dataLicense: 'CC0-1.0';
  readonly SPDXID: 'SPDXRef-DOCUMENT';
  readonly name: string;
  readonly documentNamespace: string;
  readonly comment?: string;
  readonly creationInfo: { readonly created: string; readonly creators: readonly string[] };
  readonly packages: readonly SpdxPackage[];
  readonly hasExtractedLicensingInfos?: readonly ExtractedLicense[];
  readonly relationships: readonly Relationship[];
}

// Namespace of our documents: UUIDv5 of https://attestry.dev/ns/spdx in the URL namespace of RFC 9562.
const DOCUMENT_NAMESPACE = nameUuid('6ba7b811-9dad-11d1-80b4-00c04fd430c8', 'https://attestry.dev/ns/spdx');
/** SPDX demands a time of creation. Where the image tells none there is none that stays the same. */
const NO_TIME = '1970-01-01T00:00:00Z';

/**
 * The SBOM of an image or an index as SPDX 2.3, from the same facts as the CycloneDX one. A function of repository,
 * digest, configuration and tool version: it holds no clock, tag or random number.
 */
export function renderSpdx(input: BomInput): SpdxDocument {
  const [first] = input.platforms;
  const licenses = createLicenseTexts();
  const platform = input.kind === 'image' ? first?.platform : undefined;
  const root = containerPackage(input, input.digest, 'SPDXRef-Image', platform);
  const parts = input.kind === 'image' ? inventoryPackages(first?.inventory, '', licenses.idOf) : [];
  const platforms =
    input.kind === 'index' ? input.platforms.map((each) => platformParts(input, each, licenses.idOf)) : [];
  const gaps = gapsOf(input);
  const extracted = licenses.extracted();
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${formatRepositoryRef(input.repository)}@${input.digest}`,
    documentNamespace: documentNamespace(input),
    ...(gaps === undefined ? {} : { comment: gaps }),
    creationInfo: {
      created: createdAt(input.kind === 'image' ? first?.created : undefined),
      creators: [`Tool: ${TOOL_NAME}-${TOOL_VERSION}`],
    },
    packages: [root, ...parts, ...platforms.flatMap(({ container, inside }) => [container, ...inside])],
    ...(extracted.length === 0 ? {} : { hasExtractedLicensingInfos: extracted }),
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: root.SPDXID },
      ...contains(root, parts),
      ...contains(
        root,
        platforms.map(({ container }) => container),
      ),
      ...platforms.flatMap(({ container, inside }) => contains(container, inside)),
    ],
  };
}

type LicenseIdOf = ReturnType<typeof createLicenseTexts>['idOf'];

function platformParts(input: BomInput, { digest, platform, inventory }: PlatformInventory, idOf: LicenseIdOf) {
  const id = digestHex(digest);
  return {
    container: containerPackage(input, digest, `SPDXRef-Platform-${id}`, platform),
    inside: inventoryPackages(inventory, `${id}-`, idOf),
  };
}

/** `scope` keeps the same package of two platforms apart. */
function inventoryPackages(inventory: Inventory | undefined, scope: string, idOf: LicenseIdOf): SpdxPackage[] {
  if (!inventory) return [];
  const packages = inventory.packages.map((found, at) => packageOf(found, `SPDXRef-Package-${scope}${at + 1}`, idOf));
  return inventory.os ? [systemPackage(inventory.os, `SPDXRef-System-${scope}1`), ...packages] : packages;
}

function containerPackage(
  { repository }: BomInput,
  digest: Digest,
  id: string,
  platform: PlatformInventory['platform'],
): SpdxPackage {
  return {
    SPDXID: id,
    name: formatRepositoryRef(repository),
    versionInfo: digest,
    downloadLocation: 'NOASSERTION',
    filesAnalyzed: false,
    primaryPackagePurpose: 'CONTAINER',
    checksums: [{ algorithm: digest.startsWith('sha512:') ? 'SHA512' : 'SHA256', checksumValue: digestHex(digest) }],
    licenseConcluded: 'NOASSERTION',
    licenseDeclared: 'NOASSERTION',
    copyrightText: 'NOASSERTION',
    ...(platform ? { comment: `platform ${formatPlatform(platform)}` } : {}),
    externalRefs: [
      {
        referenceCategory: 'PACKAGE-MANAGER',
        referenceType: 'purl',
        referenceLocator: imagePurl(repository, digest, platform),
      },
    ],
  };
}

function contains(outer: SpdxPackage, inside: readonly SpdxPackage[]): Relationship[] {
  return inside.map(({ SPDXID }) => ({
    spdxElementId: outer.SPDXID,
    relationshipType: 'CONTAINS',
    relatedSpdxElement: SPDXID,
  }));
}

/** What the document does not hold, in words: an SBOM that is silently short would say that all is well. */
function gapsOf({ kind, platforms }: BomInput): string | undefined {
  const gaps = platforms.flatMap(({ digest, inventory }) => {
    const said = inventory.complete && inventory.gaps.length === 0 ? [] : inventory.gaps;
    const all = !inventory.complete && said.length === 0 ? ['something could not be read'] : said;
    return all.map((gap) => (kind === 'index' ? `${digest}: ${gap}` : gap));
  });
  return gaps.length === 0 ? undefined : `incomplete: ${gaps.join('; ')}`;
}

function documentNamespace({ repository, digest, configurationDigest }: BomInput): string {
  const name = [formatRepositoryRef(repository), digest, configurationDigest, TOOL_VERSION].join('\n');
  return `https://attestry.dev/spdx/${nameUuid(DOCUMENT_NAMESPACE, name)}`;
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

/** SPDX knows whole seconds in UTC only. */
function createdAt(text: string | undefined): string {
  if (text === undefined || !RFC3339.test(text)) return NO_TIME;
  const time = Date.parse(text);
  return Number.isNaN(time) ? NO_TIME : `${new Date(time).toISOString().slice(0, 19)}Z`;
}
