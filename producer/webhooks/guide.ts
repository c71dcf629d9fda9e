import type { SenderSettings } from '#producer/webhooks/adapter.ts';

/** A secret as a person is shown it: where it comes from, or its value where that was asked for. */
export interface Shown {
  /** In a file or a form. */
  readonly text: string;
  /** Between double quotes of a shell command: the variable or the file that holds it. */
  readonly shell: string;
}

/** Where a source is reached and what it wants to see, for what is pasted on the registry's side. */
export interface Receiver {
  /** Id of the source. */
  readonly id: string;
  /** `https://…/hooks/<id>`, without a secret. */
  readonly url: string;
  /** The same with the secret in it, where the source has it in the address. */
  readonly address: Shown;
  /** The header that is to be sent, with its whole value. */
  readonly header?: { readonly name: string; readonly value: Shown };
  /** Beside `header`, for senders that make it from these. */
  readonly basic?: { readonly username: string; readonly password: Shown };
  /** What the sender signs with. */
  readonly signingSecret?: Shown;
  readonly topicArns?: readonly string[];
  readonly audience?: string;
  readonly emails?: readonly string[];
  /** Where messages are fetched, for sources that nobody sends to. */
  readonly pulled?: { readonly from: string; readonly subject?: string; readonly stream?: string };
  /** The registries that the source speaks for, as they are called in references. */
  readonly registries: readonly string[];
  readonly settings: SenderSettings;
}

/** A piece of configuration, and where it goes. */
export type Paste =
  | { readonly where: string; readonly language: 'yaml' | 'json' | 'ruby' | 'sh'; readonly text: string }
  | { readonly where: string; readonly fields: readonly (readonly [name: string, value: string])[] };

/** An image that a sample tells of, and what a sample needs beside it. Nothing in it is random: it is a parameter. */
export interface SampleFacts {
  readonly image: {
    readonly registry: string;
    readonly repository: string;
    readonly tag: string;
    readonly digest: string;
  };
  /** Unique; a UUID. */
  readonly id: string;
  readonly at: Date;
  readonly receiver: Receiver;
}

/** A delivery as the sender would make it, before anything proves who sent it. */
export interface Sample {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** All that a person who sets a sender up must know of it; the page of docs/adapters is made of it. */
export interface SenderGuide {
  /** Id of the adapter. */
  readonly sender: string;
  readonly title: string;
  /** What it sends, in one paragraph. */
  readonly sends: string;
  /** How it proves itself, in a few words. */
  readonly proof: string;
  /** Whether it tells the digest. */
  readonly digest: string;
  /** `run`: a real sender delivers in the tests. */
  readonly tried: 'run' | 'documentation';
  readonly triedHow: string;
  /** What it does when an answer is no success, or none comes. */
  readonly retries: string;
  readonly hazards: readonly string[];
  /** Lines of an example: name of the registry, and the source below its id and sender. */
  readonly example: { readonly registry: string; readonly source: readonly string[] };
  /** What goes on the registry's side. */
  paste(receiver: Receiver): readonly Paste[];
  /** How to make the sender itself speak, beside pushing an image. */
  readonly check?: (receiver: Receiver) => string;
  sample(facts: SampleFacts): Sample;
}

/** The body of a sample in JSON. */
export function jsonSample(value: unknown, headers: Readonly<Record<string, string>> = {}): Sample {
  return { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}
