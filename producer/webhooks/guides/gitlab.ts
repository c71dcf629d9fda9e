import { envelopeSample } from '#producer/webhooks/envelope-sample.ts';
import type { Receiver, SenderGuide } from '#producer/webhooks/guide.ts';

export const gitlabGuide: SenderGuide = {
  sender: 'gitlab',
  title: 'GitLab container registry',
  sends:
    'The registry of a self-managed GitLab, a fork of CNCF Distribution with the same envelope. GitLab.com and project webhooks have no event for images: there, let CI call `POST /v1/images`.',
  proof: 'header',
  digest: 'yes',
  tried: 'documentation',
  triedHow:
    "No GitLab has been run against this adapter. It follows the fork's documentation and GitLab's own consumer of these events; the recorded deliveries in the tests are made from the documented shape, not captured.",
  retries: 'After `maxretries` tries (10 by default) an event is dropped, and beyond `queuesizelimit` new ones are.',
  hazards: ['Everything that [CNCF Distribution](distribution.md) says of hosts and of early events holds here too.'],
  example: {
    registry: 'registry.example.com',
    source: ['registry: main', 'auth: { bearer: env:ATTESTRY_HOOK_TOKEN }'],
  },
  paste: (receiver) => [
    {
      where: 'In /etc/gitlab/gitlab.rb, as an administrator; then `gitlab-ctl reconfigure`',
      language: 'ruby',
      text: notifications(receiver),
    },
  ],
  sample: envelopeSample,
};

function notifications({ id, url, header }: Receiver): string {
  return [
    "registry['notifications'] = [{",
    `  'name' => ${quoted(`attestry-${id}`)},`,
    `  'url' => ${quoted(url)},`,
    "  'timeout' => '1s',",
    `  'maxretries' => 10${header ? ',' : ''}`,
    ...(header ? [`  'headers' => { ${quoted(header.name)} => [${quoted(header.value.text)}] }`] : []),
    '}]',
  ].join('\n');
}

/** A text of Ruby in which nothing is replaced. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
