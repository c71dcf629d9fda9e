import type { SenderGuide } from '#producer/webhooks/guide.ts';
import { acrGuide } from '#producer/webhooks/guides/acr.ts';
import { acrEventgridGuide } from '#producer/webhooks/guides/acr-eventgrid.ts';
import { alibabaGuide } from '#producer/webhooks/guides/alibaba.ts';
import { artifactoryGuide } from '#producer/webhooks/guides/artifactory.ts';
import { distributionGuide } from '#producer/webhooks/guides/distribution.ts';
import { dockerhubGuide } from '#producer/webhooks/guides/dockerhub.ts';
import { ecrGuide } from '#producer/webhooks/guides/ecr.ts';
import { ecrSnsGuide } from '#producer/webhooks/guides/ecr-sns.ts';
import { ecrSqsGuide } from '#producer/webhooks/guides/ecr-sqs.ts';
import { forgejoGuide } from '#producer/webhooks/guides/forgejo.ts';
import { garGuide } from '#producer/webhooks/guides/gar.ts';
import { genericGuide } from '#producer/webhooks/guides/generic.ts';
import { giteaGuide } from '#producer/webhooks/guides/gitea.ts';
import { githubGuide } from '#producer/webhooks/guides/github.ts';
import { gitlabGuide } from '#producer/webhooks/guides/gitlab.ts';
import { harborGuide } from '#producer/webhooks/guides/harbor.ts';
import { nexusGuide } from '#producer/webhooks/guides/nexus.ts';
import { quayGuide } from '#producer/webhooks/guides/quay.ts';
import { zotGuide } from '#producer/webhooks/guides/zot.ts';
import { zotNatsGuide } from '#producer/webhooks/guides/zot-nats.ts';

/** What a person is told of each sender, in the order in which the index of the pages lists them. */
export const GUIDES: readonly SenderGuide[] = [
  distributionGuide,
  gitlabGuide,
  harborGuide,
  zotGuide,
  zotNatsGuide,
  quayGuide,
  dockerhubGuide,
  githubGuide,
  ecrGuide,
  ecrSnsGuide,
  ecrSqsGuide,
  acrGuide,
  acrEventgridGuide,
  garGuide,
  artifactoryGuide,
  nexusGuide,
  giteaGuide,
  forgejoGuide,
  alibabaGuide,
  genericGuide,
];

/** @throws Error for a sender without one, which the tests rule out. */
export function guideOf(sender: string): SenderGuide {
  const guide = GUIDES.find((one) => one.sender === sender);
  if (!guide) throw new Error(`no guide for the sender ${sender}`);
  return guide;
}
