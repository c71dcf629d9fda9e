import type { Descriptor } from '#model/descriptor.ts';
import { AppError } from '#model/errors.ts';
import { IMAGE_INDEXES, IMAGE_MANIFESTS } from '#model/media-types.ts';
import { parseAnnotations, parseDescriptor } from '#oci/descriptor.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import type { StoredManifest } from '#oci/target.ts';

/** One image or artifact (OCI image-spec, image manifest; Docker manifest version 2, schema 2). */
export interface ImageManifest {
  readonly kind: 'manifest';
  /** The manifest itself. */
  readonly descriptor: Descriptor;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** The manifest that this one refers to. */
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A list of manifests (OCI image-spec, image index; Docker manifest list). */
export interface ImageIndex {
  readonly kind: 'index';
  readonly descriptor: Descriptor;
  readonly artifactType?: string;
  readonly manifests: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Image builders stop at 127 layers; evidence manifests append without a limit of their own. */
const MAX_LAYERS = 1000;
const MAX_CHILDREN = 1000;

const UNSUPPORTED_NAMES: Readonly<Record<string, string>> = {
  'application/vnd.docker.distribution.manifest.v1+json': 'a Docker schema 1 manifest',
  'application/vnd.docker.distribution.manifest.v1+prettyjws': 'a signed Docker schema 1 manifest',
  'application/vnd.oci.artifact.manifest.v1+json': 'an OCI artifact manifest, which the specification has withdrawn',
};

/**
 * Reads a stored manifest by its media type. What the body says must agree with it: bytes that could be read as another
 * kind are refused (CVE-2021-41190), since then each reader would see another image.
 * @throws AppError `media-type-unsupported`, `manifest-malformed`, `too-large`.
 */
export function parseManifest(stored: StoredManifest): ImageManifest | ImageIndex {
  const { descriptor } = stored;
  const isIndex = IMAGE_INDEXES.includes(descriptor.mediaType);
  if (!isIndex && !IMAGE_MANIFESTS.includes(descriptor.mediaType)) {
    throw unsupportedManifest(descriptor.mediaType, descriptor.digest);
  }
  const body = asObject(parseBoundedJson(stored.bytes));
  if (!body) throw malformed(descriptor, 'it is not a JSON object');
  checkKind(descriptor, body, isIndex);
  const { artifactType } = body;
  if (artifactType !== undefined && typeof artifactType !== 'string') {
    throw malformed(descriptor, 'artifactType is not a string');
  }
  const where = `manifest ${descriptor.digest}`;
  const annotations = parseAnnotations(body.annotations, where);
  const shared = {
    descriptor,
    ...(artifactType ? { artifactType } : {}),
    ...(body.subject == null ? {} : { subject: parseDescriptor(body.subject, `${where}: subject`) }),
    ...(annotations ? { annotations } : {}),
  };
  if (isIndex) {
    return { kind: 'index', manifests: descriptorList(body, 'manifests', MAX_CHILDREN, descriptor), ...shared };
  }
  return {
    kind: 'manifest',
    config: parseDescriptor(body.config, `${where}: config`),
    layers: descriptorList(body, 'layers', MAX_LAYERS, descriptor),
    ...shared,
  };
}

function checkKind(descriptor: Descriptor, body: Readonly<Record<string, unknown>>, isIndex: boolean): void {
  if (body.schemaVersion !== 2) throw malformed(descriptor, 'schemaVersion is not 2');
  if (body.mediaType !== undefined && body.mediaType !== descriptor.mediaType) {
    throw malformed(descriptor, `it is served as ${descriptor.mediaType} and says ${quoted(body.mediaType)} of itself`);
  }
  const alien = isIndex ? ['config', 'layers', 'fsLayers'] : ['manifests', 'fsLayers'];
  const found = alien.find((member) => body[member] != null);
  if (found) throw malformed(descriptor, `${descriptor.mediaType} does not have the member ${found}`);
}

function descriptorList(
  body: Readonly<Record<string, unknown>>,
  member: 'layers' | 'manifests',
  limit: number,
  descriptor: Descriptor,
): readonly Descriptor[] {
  // Go programs write an empty list as null.
  const list = body[member] === null ? [] : body[member];
  if (!Array.isArray(list)) throw malformed(descriptor, `${member} is not a list`);
  if (list.length > limit) {
    throw new AppError(
      'too-large',
      `manifest ${descriptor.digest} has ${list.length} ${member}, the limit is ${limit}`,
    );
  }
  return list.map((item, at) => parseDescriptor(item, `manifest ${descriptor.digest}: ${member}[${at}]`));
}

/** @param name the digest or tag by which the message calls it. */
export function unsupportedManifest(mediaType: string, name: string): AppError {
  const kind = UNSUPPORTED_NAMES[mediaType] ?? `of media type ${quoted(mediaType)}`;
  return new AppError('media-type-unsupported', `manifest ${name} is ${kind}; images are OCI or Docker schema 2`);
}

function malformed({ digest }: Descriptor, why: string): AppError {
  return new AppError('manifest-malformed', `manifest ${digest}: ${why}`);
}

function quoted(value: unknown): string {
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 120) : typeof value);
}
