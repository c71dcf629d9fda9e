import type { HttpClient } from '#http/client.ts';
import { createBlobWriter } from '#oci/blob-upload.ts';
import { createBlobReader } from '#oci/blobs.ts';
import type { CallEnd } from '#oci/call-end.ts';
import { type CapabilityMemo, createCapabilityMemo } from '#oci/capability-memo.ts';
import type { Catalog, OwnLists } from '#oci/catalog/catalog.ts';
import { createDistributionCatalog } from '#oci/catalog/distribution.ts';
import type { CredentialSource } from '#oci/credentials.ts';
import { REGISTRY_LIMITS, type RegistryLimits } from '#oci/limits.ts';
import { createLinkedManifests } from '#oci/linked-manifests.ts';
import { createManifests } from '#oci/manifests.ts';
import { createReferrersList } from '#oci/referrers-list.ts';
import { createReferrersTag } from '#oci/referrers-tag.ts';
import { createRegistryConnection, type RegistryConnection } from '#oci/registry-connection.ts';
import { createTagLister } from '#oci/tags.ts';
import type { Target } from '#oci/target.ts';

export interface RegistryTargetOptions {
  /** The registry's configured name, for messages. */
  readonly name: string;
  /** What is dialled: `http(s)://host[:port]/`. */
  readonly baseUrl: URL;
  readonly client: HttpClient;
  readonly credentials: CredentialSource;
  /** What the credential source is asked for; the host of `baseUrl` when absent. */
  readonly credentialKey?: string;
  readonly limits?: Partial<RegistryLimits>;
  /** What is known of registries, to be shared by several targets; its own when absent. */
  readonly memo?: CapabilityMemo;
  readonly now: () => Date;
  /** What the configuration says of its tags: they cannot be written again. */
  readonly immutableTags?: boolean;
  /** Waited for before each call: keeps to a budget. */
  readonly turn?: (signal?: AbortSignal) => Promise<void>;
  /** Told how each call ended. */
  readonly told?: (end: CallEnd) => Promise<void>;
  /** Lists of its own that the registry has beside those of the distribution API, with the same credentials. */
  readonly ownLists?: (connection: RegistryConnection) => OwnLists;
}

/** What the registry's own API lists, beside what it holds. */
export interface RegistryTarget extends Target {
  readonly catalog: Catalog;
}

/** A registry that speaks the OCI distribution API, or Docker's registry API version 2. */
export function createRegistryTarget(options: RegistryTargetOptions): RegistryTarget {
  const connection = createRegistryConnection({
    ...options,
    credentialKey: options.credentialKey ?? options.baseUrl.host,
    limits: { ...REGISTRY_LIMITS, ...options.limits },
    memo: options.memo ?? createCapabilityMemo({ now: options.now }),
  });
  const manifests = createManifests(connection);
  const list = createReferrersList(connection);
  const tag = createReferrersTag(connection, manifests);
  const reader = createBlobReader(connection);
  const tags = createTagLister(connection);
  return {
    ...createLinkedManifests(connection, { manifests, list, tag }),
    ...reader,
    ...createBlobWriter(connection, reader),
    ...tags,
    catalog: { ...createDistributionCatalog(connection, tags, manifests), ...options.ownLists?.(connection) },
  };
}
