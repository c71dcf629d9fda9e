import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { acr } from '#producer/webhooks/adapters/acr.ts';
import { acrEventgrid } from '#producer/webhooks/adapters/acr-eventgrid.ts';
import { alibaba } from '#producer/webhooks/adapters/alibaba.ts';
import { artifactory } from '#producer/webhooks/adapters/artifactory.ts';
import { distribution } from '#producer/webhooks/adapters/distribution.ts';
import { dockerhub } from '#producer/webhooks/adapters/dockerhub.ts';
import { ecr } from '#producer/webhooks/adapters/ecr.ts';
import { ecrSns } from '#producer/webhooks/adapters/ecr-sns.ts';
import { ecrSqs } from '#producer/webhooks/adapters/ecr-sqs.ts';
import { forgejo } from '#producer/webhooks/adapters/forgejo.ts';
import { gar } from '#producer/webhooks/adapters/gar.ts';
import { generic } from '#producer/webhooks/adapters/generic.ts';
import { gitea } from '#producer/webhooks/adapters/gitea.ts';
import { github } from '#producer/webhooks/adapters/github.ts';
import { gitlab } from '#producer/webhooks/adapters/gitlab.ts';
import { harbor } from '#producer/webhooks/adapters/harbor.ts';
import { nexus } from '#producer/webhooks/adapters/nexus.ts';
import { quay } from '#producer/webhooks/adapters/quay.ts';
import { zot } from '#producer/webhooks/adapters/zot.ts';
import { zotNats } from '#producer/webhooks/adapters/zot-nats.ts';

/** Every sender that is understood, one file each in `adapters/`. */
export const ADAPTERS: readonly WebhookAdapter[] = [
  acr,
  acrEventgrid,
  alibaba,
  artifactory,
  distribution,
  dockerhub,
  ecr,
  ecrSns,
  ecrSqs,
  forgejo,
  gar,
  generic,
  gitea,
  github,
  gitlab,
  harbor,
  nexus,
  quay,
  zot,
  zotNats,
];

export function adapterOf(id: string): WebhookAdapter | undefined {
  return ADAPTERS.find((adapter) => adapter.id === id);
}
