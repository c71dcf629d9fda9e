import { PackageURL } from 'packageurl-js';
import { formatPlatform, type Platform } from '#model/descriptor.ts';
import { type Digest, digestHex } from '#model/digest.ts';
import { formatRepositoryRef, type RepositoryRef } from '#model/image-ref.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import { type Component, inventoryComponents, type Property } from '#sbom/cyclonedx-component.ts';
import type { Inventory } from '#sbom/inventory.ts';
import { nameUuid } from '#sbom/name-uuid.ts';

/** One platform image and what is installed in it. */
export interface PlatformInventory {
  readonly digest: Digest;
  /** Absent when the config names none. */
  readonly platform?: Platform;
  /** The config's `created`: a claim, written where it is a date. */
  readonly created?: string;
  readonly inventory: Inventory;
}

export interface BomInput {
  /** Registry by its configured name; no tag. */
  readonly repository: RepositoryRef;
  /** What the BOM is about: the platform image, or the index of all `platforms`. */
  readonly digest: Digest;
  readonly kind: 'image' | 'index';
  /** One for an image; all children, in the index's order, for an index. */
  readonly platforms: readonly PlatformInventory[];
  /** Digest of the configuration that made this BOM: part of its serial number. */
  readonly configurationDigest: string;
}

/** A CycloneDX 1.6 document, as far as this program writes it. */
export interface CycloneDxBom {
  readonly $schema: string;
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.6';
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: {
    readonly timestamp?: string;
    readonly tools: { readonly components: readonly object[] };
    readonly component: Component;
    readonly properties?: readonly Property[];
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
  readonly compositions: readonly { readonly aggregate: string; readonly assemblies: readonly string[] }[];
}

// Namespace of our serial numbers: UUIDv5 of https://attestry.dev/ns/bom in the URL namespace of RFC 9562.
const SERIAL_NAMESPACE = nameUuid('6ba7b811-9dad-11d1-80b4-00c04fd430c8', 'https://attestry.dev/ns/bom');

/**
 * The SBOM of an image or an index, as CycloneDX 1.6. A function of repository, digest, configuration and tool version:
 * it holds no clock, tag or random number, so the same input gives the same bytes.
 */
export function renderCycloneDx(input: BomInput): CycloneDxBom {
  const [first] = input.platforms;
  const created = input.kind === 'image' ? timestamp(first?.created) : undefined;
  const gaps = gapProperties(input);
  const root = containerComponent(input.repository, input.digest, input.kind === 'image' ? first?.platform : undefined);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(input),
    version: 1,
    metadata: {
      ...(created === undefined ? {} : { timestamp: created }),
      tools: { components: [{ type: 'application', name: TOOL_NAME, version: TOOL_VERSION }] },
      component: root,
      ...(gaps.length === 0 ? {} : { properties: gaps }),
    },
    ...(input.kind === 'image' ? imageBody(root, first?.inventory) : indexBody(root, input)),
  };
}

type Body = Pick<CycloneDxBom, 'components' | 'dependencies' | 'compositions'>;

function imageBody(root: Component, inventory: Inventory | undefined): Body {
  const components = inventory ? inventoryComponents(inventory, '') : [];
  return {
    components,
    dependencies: [dependency(root, components), ...components.map((leaf) => dependency(leaf, []))],
    compositions: [composition(root, inventory?.complete ?? false)],
  };
}

/** Platform images as components, what they hold nested in them. */
function indexBody(root: Component, input: BomInput): Body {
  const platforms = input.platforms.map(({ digest, platform, inventory }) => {
    const container = containerComponent(input.repository, digest, platform);
    const inside = inventoryComponents(inventory, `${digestHex(digest)}/`);
    return { container: { ...container, components: inside }, inside, complete: inventory.complete };
  });
  return {
    components: platforms.map(({ container }) => container),
    dependencies: [
      dependency(
        root,
        platforms.map(({ container }) => container),
      ),
      ...platforms.flatMap(({ container, inside }) => [
        dependency(container, inside),
        ...inside.map((leaf) => dependency(leaf, [])),
      ]),
    ],
    compositions: [
      composition(
        root,
        platforms.every(({ complete }) => complete),
      ),
      ...platforms.map(({ container, complete }) => composition(container, complete)),
    ],
  };
}

function containerComponent(repository: RepositoryRef, digest: Digest, platform: Platform | undefined): Component {
  const name = formatRepositoryRef(repository);
  const purl = imagePurl(repository, digest, platform);
  const alg = digest.startsWith('sha512:') ? 'SHA-512' : 'SHA-256';
  return {
    type: 'container',
    'bom-ref': purl,
    name,
    version: digest,
    hashes: [{ alg, content: digestHex(digest) }],
    purl,
    ...(platform ? { properties: [{ name: 'attestry:image:platform', value: formatPlatform(platform) }] } : {}),
  };
}

/** Package URL of an image (purl-spec, type `oci`): the last part of the repository, the digest as version. */
export function imagePurl(repository: RepositoryRef, digest: Digest, platform: Platform | undefined): string {
  const name = repository.repository.slice(repository.repository.lastIndexOf('/') + 1);
  const qualifiers = {
    repository_url: formatRepositoryRef(repository),
    ...(platform?.architecture ? { arch: platform.architecture } : {}),
  };
  return new PackageURL('oci', undefined, name, digest, qualifiers, undefined).toString();
}

function dependency(of: Component, on: readonly Component[]): CycloneDxBom['dependencies'][number] {
  const ref = of['bom-ref'];
  return on.length === 0 ? { ref } : { ref, dependsOn: on.map((component) => component['bom-ref']) };
}

function composition(of: Component, complete: boolean): CycloneDxBom['compositions'][number] {
  return { aggregate: complete ? 'complete' : 'incomplete', assemblies: [of['bom-ref']] };
}

function gapProperties({ kind, platforms }: BomInput): Property[] {
  return platforms.flatMap(({ digest, inventory }) =>
    inventory.gaps.map((gap) => ({ name: 'attestry:gap', value: kind === 'index' ? `${digest}: ${gap}` : gap })),
  );
}

function serialNumber({ repository, digest, configurationDigest }: BomInput): string {
  const name = [formatRepositoryRef(repository), digest, configurationDigest, TOOL_VERSION].join('\n');
  return `urn:uuid:${nameUuid(SERIAL_NAMESPACE, name)}`;
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;

function timestamp(created: string | undefined): string | undefined {
  if (created === undefined || !RFC3339.test(created) || Number.isNaN(Date.parse(created))) return undefined;
  return created;
}
