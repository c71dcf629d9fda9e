import type { CloudContext } from '#cloud/context.ts';
import { googleToken } from '#cloud/google-credentials.ts';
import { holdToken } from '#cloud/held-token.ts';
import { retrying } from '#cloud/retry.ts';
import { AppError } from '#model/errors.ts';
import { isRepository } from '#model/image-ref.ts';
import type { Secret } from '#model/secret.ts';
import { asRegistryError } from '#oci/access/as-registry-error.ts';
import { type CatalogApi, getExisting, getJson, listedTag, listOf } from '#oci/catalog/api.ts';
import type { ApiDoor } from '#oci/catalog/api-call.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { tokenPages } from '#oci/catalog/token-pages.ts';
import { asObject } from '#oci/json.ts';

export interface GarListsParts extends ApiDoor {
  readonly context: CloudContext;
  /** Its repositories are looked through, of the location that the registry's name tells. */
  readonly project: string;
}

const HOST = /^([a-z][a-z0-9-]{0,62})-docker\.pkg\.dev$/;
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const PAGE_SIZE = 1000;

/**
 * What Google Artifact Registry lists of one project (Artifact Registry API v1: repositories, packages, tags), with the
 * identity of this workload. Tags come with their digests.
 * @throws AppError `config-invalid` where the name of the registry tells no location.
 */
export function garLists(parts: GarListsParts): OwnLists {
  const { name, project } = parts;
  const location = HOST.exec(name)?.[1];
  if (location === undefined) {
    throw new AppError('config-invalid', `the location of ${name} is not known`, {
      field: 'registries.sweep.api',
      mend: 'name the registry LOCATION-docker.pkg.dev, or give its repositories in `list`',
    });
  }
  const { api, renewed } = openApi(parts);
  const within = `projects/${encodeURIComponent(project)}/locations/${location}/repositories`;
  // Of a project of a domain, which images call by `example.com/project`.
  const prefix = project.replace(':', '/');

  /** The ids at the end of the names of what is listed, and the items themselves. */
  async function* listed(get: typeof getJson, path: string, member: string, signal?: AbortSignal) {
    const pages = tokenPages(name, async (token) => {
      const next = token === undefined ? '' : `&pageToken=${encodeURIComponent(token)}`;
      const answer = asObject(await renewed(() => get(api, `${path}?pageSize=${PAGE_SIZE}${next}`, signal)));
      return { items: listOf(api, answer?.[member]), next: answer?.nextPageToken };
    });
    for await (const item of pages) {
      const id = lastId(item.name);
      if (id !== undefined) yield { id, item };
    }
  }

  return {
    async *repositories(signal) {
      for await (const { id, item } of listed(getExisting, within, 'repositories', signal)) {
        // Caches of others and views over several take no pushes.
        const isOwn = item.mode !== 'REMOTE_REPOSITORY' && item.mode !== 'VIRTUAL_REPOSITORY';
        if (item.format !== 'DOCKER' || !isOwn) continue;
        const packages = `${within}/${encodeURIComponent(id)}/packages`;
        for await (const { id: image } of listed(getExisting, packages, 'packages', signal)) {
          const repository = `${prefix}/${id}/${image}`;
          if (isRepository(repository)) yield repository;
        }
      }
    },
    async *tags(repository, signal) {
      const [id, ...image] = repository.startsWith(`${prefix}/`) ? repository.slice(prefix.length + 1).split('/') : [];
      if (id === undefined || image.length === 0) return;
      const path = `${within}/${encodeURIComponent(id)}/packages/${encodeURIComponent(image.join('/'))}/tags`;
      for await (const { id: tag, item } of listed(getJson, path, 'tags', signal)) {
        const found = listedTag(tag, lastId(item.version));
        if (found) yield found;
      }
    },
  };
}

/** The API with a token that is kept until shortly before its end, and got anew once where it is refused. */
function openApi({ context, name, ...door }: GarListsParts) {
  let last: Secret | undefined;
  const token = holdToken(
    (signal) =>
      retrying(context, signal, () => googleToken(context, SCOPE, context.settings.text('SSL_CERT_FILE'), signal)),
    context.now,
  );
  const api: CatalogApi = {
    ...door,
    name,
    async authorization(signal) {
      try {
        last = await token.get(signal);
        return `Bearer ${last.reveal()}`;
      } catch (error) {
        throw asRegistryError(`${name} lists nothing`, error);
      }
    },
  };
  async function renewed(call: () => Promise<unknown>): Promise<unknown> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'registry-unauthorized' || last === undefined) throw error;
      token.drop(last);
      return await call();
    }
  }
  return { api, renewed };
}

/** The id at the end of a resource's name; what slashes it has are escaped. */
function lastId(resource: unknown): string | undefined {
  if (typeof resource !== 'string') return undefined;
  try {
    return decodeURIComponent(resource.slice(resource.lastIndexOf('/') + 1));
  } catch {
    // No name that Google gives.
    return undefined;
  }
}
