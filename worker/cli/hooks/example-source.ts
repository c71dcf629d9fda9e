import { loadConfig } from '#config/load.ts';
import { receiverOf } from '#producer/intake/receiver.ts';
import type { Receiver, SenderGuide } from '#producer/webhooks/guide.ts';

/** A sender's example: the configuration as text, and what the registry's side is told of it. */
export interface ExampleSource {
  readonly text: string;
  readonly receiver: Receiver;
}

/** What a person would begin with; the source is called as its sender. */
export async function exampleSource(guide: SenderGuide, base: string): Promise<ExampleSource> {
  const { sender, example } = guide;
  const text = [
    'version: 1',
    'registries:',
    `  - { id: main, name: ${example.registry} }`,
    'sources:',
    `  - id: ${sender}`,
    `    sender: ${sender}`,
    ...example.source.map((line) => `    ${line}`),
  ].join('\n');
  const readFile = async () => Buffer.from(text);
  const config = await loadConfig('attestry.yaml', { readFile, env: {} }, 'none');
  const [source] = config.sources;
  if (!source) throw new Error(`the example of ${sender} has no source`);
  return { text, receiver: receiverOf(source, [example.registry], base, () => undefined) };
}
