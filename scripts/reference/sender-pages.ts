import { type ExampleSource, exampleSource } from '#cli/hooks/example-source.ts';
import { EXAMPLE_URL } from '#producer/intake/receiver.ts';
import type { AnswerRules, WebhookAdapter } from '#producer/webhooks/adapter.ts';
import type { Paste, SenderGuide } from '#producer/webhooks/guide.ts';
import { GUIDES } from '#producer/webhooks/guides/index.ts';
import { adapterOf } from '#producer/webhooks/index.ts';
import { code, page, table } from './markdown.ts';

// Examples are read as any configuration is, which is not done in one go.
const EXAMPLES = new Map(
  await Promise.all(GUIDES.map(async (guide) => [guide.sender, await exampleSource(guide, EXAMPLE_URL)] as const)),
);

/** docs/adapters: the index, and a page for each sender, by path. */
export const SENDER_PAGES: Readonly<Record<string, () => string>> = {
  'docs/adapters/README.md': index,
  ...Object.fromEntries(GUIDES.map((guide) => [`docs/adapters/${guide.sender}.md`, () => senderPage(guide)])),
};

const INTRODUCTION = `One page for each: what it sends, what to write in Attestry, what was run, what to look out for, and what to paste on the
registry's side. \`attestry hooks setup SOURCE\` prints the last with your own address and sources, \`attestry hooks test SOURCE\` tries the
door, and \`attestry hooks deliveries\` shows what was refused. Answers, reasons and repetitions: [intake](../reference/intake.md).`;

const LEGEND = `*Run*: a real sender delivers in the tests. *Documentation*: the adapter follows what the sender documents or what its source does, and
was not tried against it. Scaleway, DigitalOcean and IBM have no webhook for pushes that we know of: let CI call
\`POST /v1/images\`.`;

function index(): string {
  const rows = GUIDES.map(({ sender, title, proof, digest, tried, retries }) => [
    `[${title}](${sender}.md)`,
    code(sender),
    proof,
    digest,
    firstSentence(retries),
    tried,
  ]);
  const head = ['registry', '`sender`', 'proves itself by', 'tells the digest', 'after a failure', 'tried with'];
  return page('Senders', INTRODUCTION, table(head, rows), LEGEND);
}

function senderPage(guide: SenderGuide): string {
  const adapter = adapterOf(guide.sender);
  const example = EXAMPLES.get(guide.sender);
  if (!adapter || !example) throw new Error(`${guide.sender} has no adapter or example`);
  const { receiver, text } = example;
  return page(
    `${guide.title} (${code(guide.sender)})`,
    guide.sends,
    '## In Attestry',
    fenced('yaml attestry.yaml', text),
    '## How it proves itself, and what it is answered',
    facts(adapter),
    guide.retries,
    '## What was run',
    guide.triedHow,
    '## Hazards',
    guide.hazards.map((hazard) => `- ${hazard}`).join('\n'),
    '## How to check that it arrives',
    checks(guide, example),
    "## On the registry's side",
    `For the source above, as \`attestry hooks setup ${guide.sender}\` prints it for yours:`,
    ...guide.paste(receiver).map(pasted),
  );
}

const SCHEMES: Readonly<Record<string, string>> = {
  none: '`none` (written out)',
  bearer: '`bearer`',
  basic: '`basic`',
  'static-header': '`header` with `value`',
  'query-token': '`query`',
  hmac: '`hmac`',
  'sns-signature': '`topicArn`',
  oidc: '`audience` with `email`',
  pulled: 'none: what is fetched proves itself by where it was',
};

function facts({ auth, answers, maxBodyBytes, digestOnly, transport, registries }: WebhookAdapter): string {
  return table(
    ['', ''],
    [
      ['`auth`', auth.map((scheme) => SCHEMES[scheme] ?? scheme).join(', ')],
      ['one source speaks for', registries === 'one' ? 'one registry' : 'several registries'],
      [transport === 'pull' ? 'a message is' : 'answers', answersOf(answers, transport === 'pull')],
      ['largest body', `${maxBodyBytes / 1024 / 1024} MiB`],
      [
        'untagged pushes',
        digestOnly === 'skip' ? 'skipped, unless `digestOnly: enqueue`' : 'enqueued, unless `digestOnly: skip`',
      ],
    ],
  );
}

function answersOf({ accepted, skipped, malformed, rejected, unauthenticated }: AnswerRules, isPull: boolean): string {
  if (isPull) return 'taken off the queue when it was enqueued or skipped on purpose; else it comes again';
  return `${accepted} enqueued, ${skipped} skipped on purpose, ${malformed} not readable, ${rejected} at fault, ${unauthenticated} wrong credential, 503 nothing accepted`;
}

function checks({ check }: SenderGuide, { receiver }: ExampleSource): string {
  const steps = [
    ...(receiver.pulled
      ? []
      : ['`attestry hooks test <source>` sends a sample through the door, and says what it would enqueue.']),
    ...(check ? [check(receiver)] : []),
    'What was refused, and why: `attestry hooks deliveries --refused`.',
  ];
  return steps.map((step) => `- ${step}`).join('\n');
}

function pasted(paste: Paste): string {
  if ('fields' in paste) return `${paste.where}:\n\n${table(['field', 'value'], paste.fields.map(asCode))}`;
  return `${paste.where}:\n\n${fenced(paste.language, paste.text)}`;
}

function asCode([name, value]: readonly [string, string]): readonly string[] {
  return [name, /^https?:|[<>]/.test(value) ? code(value) : value];
}

function fenced(info: string, text: string): string {
  return `\`\`\`${info}\n${text}\n\`\`\``;
}

function firstSentence(text: string): string {
  return text.split(/(?<=[.:;])\s/, 1)[0]?.replace(/[:;]$/, '.') ?? text;
}
