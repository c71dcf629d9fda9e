import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { TOLD_ONCE } from '#producer/webhooks/answers.ts';
import { GITEA_SIGNATURE, packageEvents } from '#producer/webhooks/gitea-package.ts';
import { MAX_BODY_BYTES } from '#producer/webhooks/limits.ts';

/** Gitea's webhook of the owner or of the linked repository. Each event is tried once. */
export const gitea: WebhookAdapter = {
  id: 'gitea',
  auth: ['static-header', 'hmac'],
  signature: GITEA_SIGNATURE,
  maxBodyBytes: MAX_BODY_BYTES,
  answers: TOLD_ONCE,
  digestOnly: 'skip',
  registries: 'one',
  firstHand: true,
  events: (delivery) => packageEvents(delivery, ['gitea']),
};
