import { forgeGuide } from '#producer/webhooks/forge-guide.ts';

export const giteaGuide = forgeGuide(
  'gitea',
  'Gitea',
  "No Gitea has been run against this adapter. It follows Gitea's source; the recorded deliveries in the tests are made from the documented shape, not captured.",
);
