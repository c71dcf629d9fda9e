import { type BuiltContent, type BuiltImage, builtContent, jsonContent } from '#cli/demo/image-writer.ts';
import type { TarItem } from '#cli/demo/tar-writer.ts';
import type { Digest } from '#model/digest.ts';
import {
  BUILDKIT_ATTESTATION_MANIFEST,
  BUILDKIT_PREDICATE_TYPE,
  BUILDKIT_REFERENCE_DIGEST,
  BUILDKIT_REFERENCE_TYPE,
  IN_TOTO,
  OCI_CONFIG,
  OCI_MANIFEST,
  STATEMENT_V01,
} from '#model/media-types.ts';

/** A file of a layer, from text. */
export function textFile(path: string, text: string): TarItem {
  return { kind: 'file', path, bytes: new TextEncoder().encode(text) };
}

export const DEBIAN_RELEASE = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n';

/** A dpkg status file; versions by package name. */
export function dpkgStatus(packages: Readonly<Record<string, string>>, architecture = 'amd64'): string {
  return Object.entries(packages)
    .map(
      ([name, version]) =>
        `Package: ${name}\nStatus: install ok installed\nArchitecture: ${architecture}\nVersion: ${version}\n` +
        'Description: one\n two\n',
    )
    .join('\n');
}

/** A small Debian root file system with these packages. */
export function debianItems(packages: Readonly<Record<string, string>>, architecture = 'amd64'): TarItem[] {
  return [
    textFile('etc/os-release', DEBIAN_RELEASE),
    textFile('var/lib/dpkg/status', dpkgStatus(packages, architecture)),
  ];
}

/** An installed npm package below `root`, by its name. */
export function npmItem(root: string, name: string, version: string, extra: object = {}): TarItem {
  return textFile(`${root}/node_modules/${name}/package.json`, JSON.stringify({ name, version, ...extra }));
}

/** An installed Python distribution. */
export function pythonItem(sitePackages: string, name: string, version: string, extra = ''): TarItem {
  const folder = `${sitePackages}/${name.replaceAll('-', '_')}-${version}.dist-info`;
  return textFile(`${folder}/METADATA`, `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${extra}\nText.\n`);
}

export interface BuildkitStatementContent {
  readonly predicateType: string;
  readonly predicate: object;
  /** What the statement says it is about; the platform where absent. */
  readonly subject?: Digest;
  /** What the layer's annotation says; the true type where absent. */
  readonly announced?: string;
}

/** The attestation manifest that BuildKit puts beside a platform image (`unknown/unknown`). */
export function buildkitAttestation(platform: Digest, statements: readonly BuildkitStatementContent[]): BuiltImage {
  const layers = statements.map((statement) => statementLayer(platform, statement));
  const config = jsonContent(OCI_CONFIG, {
    os: 'unknown',
    architecture: 'unknown',
    rootfs: { type: 'layers', diff_ids: layers.map(({ descriptor }) => descriptor.digest) },
  });
  const root = jsonContent(OCI_MANIFEST, {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: config.descriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  const descriptor = {
    ...root.descriptor,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      [BUILDKIT_REFERENCE_TYPE]: BUILDKIT_ATTESTATION_MANIFEST,
      [BUILDKIT_REFERENCE_DIGEST]: platform,
    },
  };
  return { root: { ...root, descriptor }, manifests: [], blobs: [config, ...layers] };
}

function statementLayer(platform: Digest, statement: BuildkitStatementContent): BuiltContent {
  const { predicateType, predicate, subject = platform, announced = predicateType } = statement;
  const document = {
    _type: STATEMENT_V01,
    subject: [{ name: 'pkg:docker/app@1?platform=linux%2Famd64', digest: { sha256: subject.slice(7) } }],
    predicateType,
    predicate,
  };
  const layer = builtContent(new TextEncoder().encode(JSON.stringify(document)), IN_TOTO);
  return { ...layer, descriptor: { ...layer.descriptor, annotations: { [BUILDKIT_PREDICATE_TYPE]: announced } } };
}
