import { type Digest, isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { isMediaType } from '#oci/descriptor.ts';
import { asObject, parseBoundedJson } from '#oci/json.ts';
import { unsupportedManifest } from '#oci/manifest.ts';
import type { StoredManifest } from '#oci/target.ts';
import { digestLike } from '#oci/verified-stream.ts';

export interface ManifestClaims {
  /** The tag or digest that was asked for. */
  readonly reference: string;
  /** Media type that the store tells, without parameters; absent when it tells none of use. */
  readonly mediaType?: string | undefined;
  /** Digest that the store tells. */
  readonly digest?: string | undefined;
}

// What servers say when they do not know: the body decides then.
const GENERIC_TYPES: readonly string[] = ['application/json', 'application/octet-stream', 'text/plain'];

/**
 * Checks the bytes of a manifest against all that was said of them.
 * @throws AppError `digest-mismatch` when they hash to another digest than the one asked for or told,
 * `manifest-malformed` when their own mediaType is another than the one told.
 */
export function checkStoredManifest(bytes: Uint8Array, claims: ManifestClaims): StoredManifest {
  // Its digest leaves out the signatures inside it, so it cannot be checked either.
  if (claims.mediaType?.includes('docker.distribution.manifest.v1+'))
    throw unsupportedManifest(claims.mediaType, claims.reference);
  const digest = checkDigest(bytes, claims);
  const own = asObject(parseBoundedJson(bytes, `manifest ${claims.reference}`))?.mediaType;
  const told =
    claims.mediaType !== undefined && !GENERIC_TYPES.includes(claims.mediaType) ? claims.mediaType : undefined;
  if (own !== undefined && !isMediaType(own)) {
    throw new AppError('manifest-malformed', `manifest ${digest}: mediaType is not a media type`);
  }
  if (own !== undefined && told !== undefined && own !== told) {
    throw new AppError('manifest-malformed', `manifest ${digest} is served as ${told} and says ${own} of itself`);
  }
  const mediaType = told ?? own;
  if (mediaType === undefined) {
    throw new AppError(
      'manifest-malformed',
      `manifest ${digest}: neither the registry nor the bytes tell its media type`,
    );
  }
  return { descriptor: { mediaType, digest, size: bytes.byteLength }, bytes };
}

function checkDigest(bytes: Uint8Array, { reference, digest: told }: ManifestClaims): Digest {
  const wanted = isDigest(reference) ? reference : undefined;
  if (wanted !== undefined && digestLike(wanted, bytes) !== wanted) {
    throw new AppError('digest-mismatch', `the registry answered other bytes than those of manifest ${wanted}`);
  }
  if (isDigest(told) && digestLike(told, bytes) !== told) {
    throw new AppError('digest-mismatch', `the registry says ${told} of a manifest whose bytes hash to another digest`);
  }
  if (wanted !== undefined) return wanted;
  return isDigest(told) ? told : digestLike('sha256:', bytes);
}
