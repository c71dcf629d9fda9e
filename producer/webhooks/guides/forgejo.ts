import { forgeGuide } from '#producer/webhooks/forge-guide.ts';

export const forgejoGuide = forgeGuide(
  'forgejo',
  'Forgejo',
  "No Forgejo has been run against this adapter. It follows Gitea's source; names of headers that are Forgejo's own are not confirmed, and Gitea's, which it sends too, count as well; the recorded deliveries in the tests are made from the documented shape, not captured.",
);
