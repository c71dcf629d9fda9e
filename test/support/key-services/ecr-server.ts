import { type HttpServer, json, type ServedAnswer, serveHttp } from '../http-server.ts';
import { type AwsGate, refuseAwsRequest } from './aws-requests.ts';
import { refusedByAws } from './registry-logins.ts';

export interface EcrListSettings extends Omit<AwsGate, 'service'> {
  readonly account: string;
  readonly repositories: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Items of a page, whatever is asked for. */
  readonly most: number;
}

interface Input {
  readonly registryId?: string;
  readonly repositoryName?: string;
  readonly filter?: { readonly tagStatus?: string };
  readonly maxResults?: number;
  readonly nextToken?: string;
}

/** DescribeRepositories and ListImages of ECR, as its API reference has them: signed, and page by page. */
export function startEcrLists(settings: EcrListSettings): Promise<HttpServer> {
  const { account, repositories, most } = settings;

  /** A token is good for the list that gave it alone. */
  function page(list: string, items: readonly object[], { nextToken, maxResults = 100 }: Input) {
    if (maxResults < 1 || maxResults > 1000) return undefined;
    const token = nextToken === undefined ? `${list}\n0` : Buffer.from(nextToken, 'base64').toString('utf8');
    const [of, at] = token.split('\n');
    if (of !== list) return undefined;
    const end = Number(at) + Math.min(maxResults, most);
    const next = end < items.length ? { nextToken: Buffer.from(`${list}\n${end}`).toString('base64') } : {};
    return { items: items.slice(Number(at), end), next };
  }

  function answer(operation: string, input: Input): ServedAnswer {
    if (input.registryId !== account) return refusedByAws('AccessDeniedException');
    if (operation === 'DescribeRepositories') {
      const all = Object.keys(repositories).map((repositoryName) => ({ registryId: account, repositoryName }));
      const found = page('repositories', all, input);
      return found
        ? json(200, { repositories: found.items, ...found.next })
        : refusedByAws('InvalidParameterException');
    }
    if (operation !== 'ListImages') return refusedByAws('UnknownOperationException');
    const { repositoryName = '', filter } = input;
    const tags = repositories[repositoryName];
    if (tags === undefined) return refusedByAws('RepositoryNotFoundException');
    const tagged = Object.entries(tags).map(([imageTag, imageDigest]) => ({ imageTag, imageDigest }));
    const untagged = filter?.tagStatus === 'TAGGED' ? [] : [{ imageDigest: `sha256:${'0'.repeat(64)}` }];
    const found = page(repositoryName, [...tagged, ...untagged], input);
    return found ? json(200, { imageIds: found.items, ...found.next }) : refusedByAws('InvalidParameterException');
  }

  return serveHttp((request) => {
    const refusal = refuseAwsRequest(request, { ...settings, service: 'ecr' });
    if (refusal !== undefined) return refusedByAws(refusal);
    if (request.headers['content-type'] !== 'application/x-amz-json-1.1') return refusedByAws('SerializationException');
    const [api, operation = ''] = String(request.headers['x-amz-target']).split('.');
    if (api !== 'AmazonEC2ContainerRegistry_V20150921') return refusedByAws('UnknownOperationException');
    return answer(operation, JSON.parse(request.body.toString('utf8')) as Input);
  });
}
