import type { Descriptor, Platform } from '#model/descriptor.ts';
import { isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { asObject } from '#oci/json.ts';

// RFC 6838 4.2, with the parameters that a few tools append.
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(?:;[ -~]{0,200})?$/;
const MAX_PLATFORM_TEXT = 255;

export function isMediaType(text: unknown): text is string {
  return typeof text === 'string' && MEDIA_TYPE.test(text);
}

/**
 * A descriptor as a manifest lists it (OCI image-spec, content descriptors). `urls` and `data` are left out: content is
 * read from the registry by its digest alone.
 * @throws AppError `manifest-malformed` naming `where` and the member.
 */
export function parseDescriptor(value: unknown, where: string): Descriptor {
  const given = asObject(value);
  if (!given) throw malformed(where, 'is not a descriptor');
  const { mediaType, digest, size, artifactType } = given;
  if (!isMediaType(mediaType)) throw malformed(where, 'mediaType is not a media type');
  if (!isDigest(digest)) throw malformed(where, 'digest is not a sha256 or sha512 digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw malformed(where, 'size is not a whole number of bytes');
  }
  if (artifactType !== undefined && typeof artifactType !== 'string') {
    throw malformed(where, 'artifactType is not a string');
  }
  const annotations = parseAnnotations(given.annotations, where);
  const platform = parsePlatform(given.platform, where);
  return {
    mediaType,
    digest,
    size,
    ...(artifactType ? { artifactType } : {}),
    ...(annotations ? { annotations } : {}),
    ...(platform ? { platform } : {}),
  };
}

/** Annotations: text to text, in their order. `null`, which Go programs write for an empty map, is absent. */
export function parseAnnotations(value: unknown, where: string): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined;
  const given = asObject(value);
  if (!given) throw malformed(where, 'annotations are not an object');
  const wrong = Object.entries(given).find(([, text]) => typeof text !== 'string');
  if (wrong) throw malformed(where, `annotation ${JSON.stringify(wrong[0].slice(0, 120))} is not a string`);
  return given as Readonly<Record<string, string>>;
}

/** A platform without an operating system and an architecture says nothing, and is treated as absent. */
function parsePlatform(value: unknown, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  const given = asObject(value);
  if (!given) throw malformed(where, 'platform is not an object');
  const os = platformText(given.os, `${where}: platform.os`);
  const architecture = platformText(given.architecture, `${where}: platform.architecture`);
  const variant = platformText(given.variant, `${where}: platform.variant`);
  if (!os || !architecture) return undefined;
  return { os, architecture, ...(variant ? { variant } : {}) };
}

function platformText(value: unknown, where: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.length <= MAX_PLATFORM_TEXT) return value;
  throw malformed(where, 'is not a short string');
}

function malformed(where: string, why: string): AppError {
  return new AppError('manifest-malformed', `${where} ${why}`);
}
