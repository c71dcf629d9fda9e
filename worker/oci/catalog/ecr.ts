import { type AwsService, callAws } from '#cloud/aws-call.ts';
import type { CloudContext } from '#cloud/context.ts';
import type { HttpClient } from '#http/client.ts';
import { AppError } from '#model/errors.ts';
import { isRepository } from '#model/image-ref.ts';
import { asRegistryError } from '#oci/access/as-registry-error.ts';
import { ecrAccount, openEcr } from '#oci/access/ecr.ts';
import { type CallEnd, endOfError, endOfResponse } from '#oci/call-end.ts';
import { listedTag, listOf } from '#oci/catalog/api.ts';
import type { OwnLists } from '#oci/catalog/catalog.ts';
import { tokenPages } from '#oci/catalog/token-pages.ts';
import { asObject } from '#oci/json.ts';

export interface EcrListsParts {
  readonly context: CloudContext;
  /** The registry's configured name, which tells account and region. */
  readonly name: string;
  /** Waited for before each call to the host. */
  turn?(host: string, signal?: AbortSignal): Promise<void>;
  /** Told how each call to the host ended. */
  told?(host: string, end: CallEnd): Promise<void>;
}

const TARGET = 'AmazonEC2ContainerRegistry_V20150921';
/** The most that either operation gives at once, and what that may weigh with the longest names. */
const PAGE_SIZE = 1000;
const ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * What Amazon ECR lists of a private registry (Amazon ECR API reference: DescribeRepositories, ListImages), with the
 * identity of this workload. Tags come with their digests.
 */
export function ecrLists(parts: EcrListsParts): OwnLists {
  const { context, name } = parts;
  const account = ecrAccount(name);
  const ofRegistry = account === undefined ? {} : { registryId: account };
  let opened: Promise<AwsService> | undefined;

  async function service(): Promise<AwsService> {
    opened ??= openEcr(context, name, 'ecr').then((found) => ({
      ...found,
      http: metered(found.http, parts, found.context),
      answerBytes: ANSWER_BYTES,
      nothing: ['RepositoryNotFoundException'],
    }));
    return await opened.catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
  }

  async function call(operation: string, input: object, signal?: AbortSignal) {
    const ecr = await service();
    try {
      return await callAws(ecr, `${TARGET}.${operation}`, { ...ofRegistry, maxResults: PAGE_SIZE, ...input }, signal);
    } catch (error) {
      // AWS says so in an answer of 400, so that it is not known by the status.
      if (error instanceof AppError && error.code === 'key-throttled') {
        const { retryAfterMs } = error;
        const waits = retryAfterMs === undefined ? {} : { retryAfterMs };
        await parts.told?.(ecr.url.host, { outcome: 'throttled', sentBytes: 0, ...waits });
      }
      throw asRegistryError(`${name} lists nothing`, error);
    }
  }

  const pages = (operation: string, member: string, input: object, signal?: AbortSignal) =>
    tokenPages(name, async (token) => {
      const next = token === undefined ? {} : { nextToken: token };
      const answer = asObject(await call(operation, { ...input, ...next }, signal));
      return { items: listOf({ name }, answer?.[member]), next: answer?.nextToken };
    });

  return {
    async *repositories(signal) {
      for await (const { repositoryName } of pages('DescribeRepositories', 'repositories', {}, signal)) {
        if (typeof repositoryName === 'string' && isRepository(repositoryName)) yield repositoryName;
      }
    },
    async *tags(repository, signal) {
      const input = { repositoryName: repository, filter: { tagStatus: 'TAGGED' } };
      for await (const { imageTag, imageDigest } of pages('ListImages', 'imageIds', input, signal)) {
        const listed = listedTag(imageTag, imageDigest);
        if (listed) yield listed;
      }
    },
  };
}

/** Each try of a call in its turn. */
function metered(http: HttpClient, { turn, told }: EcrListsParts, { now }: Pick<CloudContext, 'now'>): HttpClient {
  return {
    ...http,
    async request(request) {
      const { host } = request.url;
      await turn?.(host, request.signal);
      try {
        const response = await http.request(request);
        await told?.(host, endOfResponse(response, 0, now()));
        return response;
      } catch (error) {
        const end = endOfError(error, 0);
        if (end) await told?.(host, end);
        throw error;
      }
    },
  };
}
