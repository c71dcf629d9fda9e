import type { Descriptor } from '#model/descriptor.ts';
import type { Digest } from '#model/digest.ts';
import { parseAnnotations, parseDescriptor } from '#oci/descriptor.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';

/** A manifest that refers to another one. */
export interface Referrer {
  readonly subject: Digest;
  /** How it is listed: with its own artifactType and annotations. */
  readonly entry: Descriptor;
}

/**
 * What a manifest's bytes say of their subject; undefined when they name none.
 * @throws AppError `manifest-malformed` when they name one that is no descriptor.
 */
export function referrerOf(descriptor: Descriptor, bytes: Uint8Array): Referrer | undefined {
  const where = `manifest ${descriptor.digest}`;
  const body = bodyOf(bytes);
  if (body?.subject == null) return undefined;
  const { mediaType, digest, size } = descriptor;
  const subject = parseDescriptor(body.subject, `${where}: subject`).digest;
  const artifactType = artifactTypeOf(body);
  const annotations = parseAnnotations(body.annotations, where);
  return {
    subject,
    entry: {
      mediaType,
      digest,
      size,
      ...(artifactType ? { artifactType } : {}),
      ...(annotations ? { annotations } : {}),
    },
  };
}

/** OCI distribution-spec, listing referrers: the config's media type where the manifest names no type of its own. */
function artifactTypeOf(body: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof body.artifactType === 'string' && body.artifactType !== '') return body.artifactType;
  const config = asObject(body.config)?.mediaType;
  return typeof config === 'string' ? config : undefined;
}

/** Bytes that are no manifest at all are the registry's to refuse. */
function bodyOf(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(parseBoundedJson(bytes));
  } catch {
    return undefined;
  }
}
