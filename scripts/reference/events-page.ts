import * as z from 'zod';
import type { SchemaNode } from '#config/schema-node.ts';
import { EVENT_DATA } from '#events/catalogue.ts';
import { REPEATED } from '#events/route.ts';
import { transitionEvent } from '#events/verdict-events.ts';
import { sha256 } from '#model/digest.ts';
import { EVENTS, type EventType } from '#model/event.ts';
import type { Verdict } from '#model/verdict.ts';
import { code, page, table } from './markdown.ts';
import { keyRows } from './schema-rows.ts';

const INTRODUCTION = `Events are [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) in their JSON form.
\`source\` is \`instance.url\`, or \`urn:attestry:<instance.id>\`. \`id\` is a function of what is told: an event that is
delivered twice has the same id, and receivers can drop it. \`traceparent\` is that of the job.

A type ends in its version. Members are only ever added to a version; anything else is a new type.`;

const ALERTS = `## Alertmanager

A sink of type \`alertmanager\` raises \`AttestryVerdictFailed\` while a verdict is \`fail\`: sent each minute with an end four
minutes ahead, resolved when the verdict is good again or the image is gone. Its labels are \`alertname\`, \`severity\`,
\`instance\`, \`image\`, \`policy\` and those of the configuration; its annotations \`summary\`, \`policy\`, \`reason\`, \`detail\`
and \`next\`. Other events that ask for somebody to act become alerts of severity \`warning\` with the label \`subject\`, and
end by themselves: \`AttestryCertificateExpiring\`, \`AttestryRateExceeded\`, \`AttestryUnauthenticated\`,
\`AttestryJobDead\`; when the sink's \`events\` name them also \`AttestryCouldNotCheck\`, \`AttestryEvidenceLost\` and
\`AttestrySigningRefused\`.`;

const SIGNATURES = `## Signed webhooks

With \`secret\` set, a webhook is signed as [Standard Webhooks](https://www.standardwebhooks.com) says: \`webhook-id\`,
\`webhook-timestamp\` (seconds) and \`webhook-signature: v1,<base64 HMAC-SHA256>\` over \`id.timestamp.body\`. A secret that
starts with \`whsec_\` is base64 after that; any other is taken as text. Receivers should refuse timestamps that are more
than five minutes off. In binary mode the \`ce-\` headers are not covered, but for the id.`;

/** docs/reference/events.md */
export function eventsPage(): string {
  const overview = Object.entries(EVENTS).map(([type, meaning]) => [
    code(type),
    meaning,
    // What stands in angle brackets would be taken as HTML.
    EVENT_DATA[type as EventType].subject.replaceAll(/\S*<\S+/g, code),
    REPEATED.includes(type as EventType) ? 'only when asked for' : 'yes',
  ]);
  const shapes = shapesByTypes().map(({ types, node }) => {
    return `### ${types.map(code).join(', ')}\n\n${table(['member', 'form', 'meaning'], dataRows(node))}`;
  });
  return page(
    'Events',
    INTRODUCTION,
    table(['type', 'told', '`subject`', 'sent by default'], overview),
    '## Data',
    ...shapes,
    ALERTS,
    SIGNATURES,
    `## An example\n\n\`\`\`json\n${JSON.stringify(exampleEvent(), null, 2)}\n\`\`\``,
  );
}

/** Types that tell the same members share one table. */
function shapesByTypes(): { types: EventType[]; node: SchemaNode }[] {
  const shapes = new Map<z.ZodType, EventType[]>();
  for (const type of Object.keys(EVENTS) as EventType[]) {
    const { data } = EVENT_DATA[type];
    shapes.set(data, [...(shapes.get(data) ?? []), type]);
  }
  return [...shapes].map(([data, types]) => ({ types, node: z.toJSONSchema(data) as SchemaNode }));
}

function dataRows(node: SchemaNode): string[][] {
  return keyRows(node).map(([key, form, fallback, meaning]) => {
    return [key, fallback === 'required' ? form : `${form}, may be absent`, meaning];
  });
}

function exampleEvent() {
  const digest = sha256('an image');
  const verdict: Verdict = {
    image: `registry.example.com/team/app:1.0@${digest}`,
    digest,
    policy: {
      name: 'check-image',
      kind: 'ClusterPolicy',
      uri: 'file:check-image.yaml',
      digest: sha256('a policy'),
    },
    emulates: 'kyverno 1.19.1',
    mode: 'compat',
    outcome: 'fail',
    reasons: [
      {
        code: 'evidence-missing',
        message: 'no attestation of type https://slsa.dev/provenance/v1 is attached',
        clause: 'rules[0].verifyImages[0].attestations[0]',
        next: 'attest the image',
      },
    ],
  };
  const transition = {
    image: `registry.example.com/team/app@${digest}`,
    policyUri: verdict.policy.uri,
    sequence: 2,
    change: 'changed',
    at: '2026-01-02T03:04:05.000Z',
    verdict,
    previous: { outcome: 'pass', reasons: [{ code: 'verified', message: 'provenance holds' }] },
  } as const;
  return transitionEvent(transition, { source: 'urn:attestry:attestry', now: new Date(transition.at) });
}
