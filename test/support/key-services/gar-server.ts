import { type HttpServer, json, type ServedAnswer, serveHttp } from '../http-server.ts';

export interface GarSettings {
  /** `projects/…/locations/…`. */
  readonly parent: string;
  /** The access token that is taken now. */
  token(): string;
  /** By id; packages by their name, with their tags. */
  readonly repositories: Readonly<Record<string, GarRepository>>;
  /** Items of a page, whatever is asked for. */
  readonly most: number;
}

export interface GarRepository {
  readonly format: string;
  readonly mode: string;
  readonly packages: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

function problem(code: number, status: string): ServedAnswer {
  return json(code, { error: { code, status, message: `told by the service: ${status}` } });
}

/** The lists of Artifact Registry's API v1: repositories, packages and tags, page by page, names escaped. */
export function startGar({ parent, token, repositories, most }: GarSettings): Promise<HttpServer> {
  function page(path: string, query: URLSearchParams, member: string, items: readonly object[]): ServedAnswer {
    const asked = query.get('pageToken');
    const [of = '', at = '0'] = asked ? Buffer.from(asked, 'base64url').toString('utf8').split('\n') : [path];
    // A token is good for the list that gave it alone.
    if (of !== path) return problem(400, 'INVALID_ARGUMENT');
    const end = Number(at) + Math.min(Number(query.get('pageSize') ?? 100), most);
    const next = Buffer.from(`${path}\n${end}`).toString('base64url');
    const page = items.slice(Number(at), end);
    return json(200, { [member]: page, ...(end < items.length ? { nextPageToken: next } : {}) });
  }

  function answer(path: string, query: URLSearchParams): ServedAnswer {
    const base = `${parent}/repositories`;
    if (path === base) {
      const all = Object.entries(repositories).map(([id, { format, mode }]) => ({
        name: `${base}/${id}`,
        format,
        mode,
      }));
      return page(path, query, 'repositories', all);
    }
    const [, id = '', item] = /^\/([^/]+)\/packages(?:\/([^/]+)\/tags)?$/.exec(path.slice(base.length)) ?? [];
    const packages = path.startsWith(base) ? repositories[id]?.packages : undefined;
    if (packages === undefined) return problem(404, 'NOT_FOUND');
    const at = `${base}/${id}/packages`;
    if (item === undefined) {
      const all = Object.keys(packages).map((name) => ({ name: `${at}/${encodeURIComponent(name)}` }));
      return page(path, query, 'packages', all);
    }
    const tags = packages[decodeURIComponent(item)];
    if (tags === undefined) return problem(404, 'NOT_FOUND');
    const all = Object.entries(tags).map(([tag, digest]) => ({
      name: `${at}/${item}/tags/${tag}`,
      version: `${at}/${item}/versions/${digest}`,
    }));
    return page(path, query, 'tags', all);
  }

  return serveHttp(({ method, path, headers }) => {
    if (headers.authorization !== `Bearer ${token()}`) return problem(401, 'UNAUTHENTICATED');
    const url = new URL(path, 'http://gar.test');
    if (method !== 'GET' || !url.pathname.startsWith('/v1/')) return problem(404, 'NOT_FOUND');
    return answer(url.pathname.slice('/v1/'.length), url.searchParams);
  });
}
