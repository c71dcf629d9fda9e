import * as z from 'zod/mini';
import type { Descriptor } from '#model/descriptor.ts';
import { isDigest } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { ImageConfig } from '#model/subject.ts';
import { parseBoundedJson } from '#oci/json.ts';
import type { ReadTarget } from '#oci/target.ts';
import { readBlob } from '#storage/read-blob.ts';

/** Registries bound manifests to 4 MiB; a config is of the same order. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** The members that are read; everything may be absent, since real images leave all of it out. */
const ConfigDocument = z.object({
  created: z.optional(z.nullable(z.string())),
  os: z.optional(z.nullable(z.string())),
  architecture: z.optional(z.nullable(z.string())),
  variant: z.optional(z.nullable(z.string())),
  config: z.optional(z.nullable(z.object({ Labels: z.optional(z.nullable(z.record(z.string(), z.string()))) }))),
  rootfs: z.optional(z.nullable(z.object({ diff_ids: z.optional(z.nullable(z.array(z.string()))) }))),
});

/**
 * Reads an image config (OCI image-spec, image configuration).
 * @throws AppError `manifest-malformed` when it is no such document, `too-large`, and the registry errors.
 */
export async function readImageConfig(
  source: ReadTarget,
  repository: string,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<ImageConfig> {
  const bytes = await readBlob(source, repository, descriptor, MAX_CONFIG_BYTES, signal);
  const parsed = ConfigDocument.safeParse(parseBoundedJson(bytes, `config ${descriptor.digest}`));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new AppError(
      'manifest-malformed',
      `config ${descriptor.digest} is no image config: ${issue?.path.join('.')} ${issue?.message}`,
    );
  }
  const { created, os, architecture, variant, config, rootfs } = parsed.data;
  return {
    digest: descriptor.digest,
    ...(created ? { created } : {}),
    ...(os && architecture ? { platform: { os, architecture, ...(variant ? { variant } : {}) } } : {}),
    labels: config?.Labels ?? {},
    diffIds: (rootfs?.diff_ids ?? []).filter(isDigest),
  };
}
