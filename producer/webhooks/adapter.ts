import type { PushEvent, SkipReason } from '#model/push-event.ts';

/** A delivery after authentication: the raw body was bounded and its bytes are what signatures covered. */
export interface Delivery {
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Why one item has no event. */
export interface SkippedItem {
  readonly from: string;
  readonly skip: SkipReason;
  /** One sentence for the caller: which field, and the mend. Never quotes the payload at length. */
  readonly message?: string;
  /** The status that the protocol prescribes for this very refusal, e.g. 415 for an unknown CloudEvents format. */
  readonly status?: number;
  /** What the protocol wants in return for a handshake, in place of the usual answer. */
  readonly reply?: HandshakeReply;
  /** Of `delete`, where the event names it: what was removed, as claimed. Asked of the registry before it counts. */
  readonly removed?: RemovedEvent;
  /** Fetched to confirm a subscription; the adapter made sure that it is the sender's own host. */
  readonly confirm?: URL;
}

/** What an event says was removed; a tag, a digest, or both. */
export type RemovedEvent = Pick<PushEvent, 'hosts' | 'repository' | 'tag' | 'digest' | 'actor'>;

export interface HandshakeReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent: no body at all. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** One item of a delivery, before the central checks: an event, or why there is none. `from` is its path in the body. */
export type DeliveryItem = { readonly from: string; readonly event: PushEvent } | SkippedItem;

/** What an adapter's authentication may be; it is declared by the source's configuration and run centrally. */
export const AUTH_SCHEMES = [
  'none',
  'bearer',
  'basic',
  'static-header',
  'query-token',
  'hmac',
  'sns-signature',
  'oidc',
  'pulled',
] as const;
export type AuthScheme = (typeof AUTH_SCHEMES)[number];

/** How a sender signs what it sends, with a secret that both sides know. */
export interface SignatureRule {
  /** In lower case. */
  readonly header: string;
  readonly algorithm: 'sha256' | 'sha1';
  /** What stands before the hex digits. */
  readonly prefix: string;
  /** The bytes that may have been signed, where that is not just the body as sent. Bounded, and believed in nothing. */
  readonly signed?: (delivery: Delivery) => readonly Uint8Array[];
}

/** What a source's configuration tells its adapter. */
export interface SenderSettings {
  /** Names of repositories in payloads, and what they are called in references. */
  readonly repositories?: Readonly<Record<string, string>>;
  /** Artifactory's repository keys, and the first part of the path in references; empty where there is none. */
  readonly repoKeyMap?: Readonly<Record<string, string>>;
  /** The only resource whose events count. */
  readonly topic?: string;
  /** Who may ask for consent to send. */
  readonly allowedOrigins?: readonly string[];
}

/** How a sender wants its answers: some retry a 4xx for ever, some take it as final. */
export interface AnswerRules {
  /** Something was enqueued. */
  readonly accepted: number;
  /** Nothing was enqueued, on purpose. */
  readonly skipped: number;
  readonly unauthenticated: 401 | 403;
  /** The body could not be read at all; a 2xx for senders that would send the same bytes again for ever. */
  readonly malformed: number;
  /** Nothing was enqueued, and the sender is at fault for at least one item; as `skipped` for machines. */
  readonly rejected: number;
}

/** One sender: what its deliveries mean. Pure; everything else is central. */
export interface WebhookAdapter {
  readonly id: string;
  readonly auth: readonly AuthScheme[];
  /** Present where `auth` holds `hmac`. */
  readonly signature?: SignatureRule;
  /** `pull`: fetched from a queue; there is no route, and an answer of 2xx means that the message is deleted. */
  readonly transport?: 'pull';
  /** Whether it asks for consent by OPTIONS before it sends. */
  readonly asksConsent?: true;
  /** Bytes. */
  readonly maxBodyBytes: number;
  readonly answers: AnswerRules;
  /** Whether untagged pushes are skipped unless the source says otherwise. */
  readonly digestOnly: 'skip' | 'enqueue';
  /** Whether a source may speak for several registries, because each item names its own. */
  readonly registries: 'one' | 'many';
  /** Whether the registry itself speaks, so that tag and digest were told together by who knows. */
  readonly firstHand: boolean;
  /**
   * False for a genuine delivery of somebody else's: a sender that anyone may aim at us signs for everyone. Part of the
   * authentication, and asked after the credential was found good.
   */
  isOurs?(delivery: Delivery, settings: SenderSettings): boolean;
  /** Never throws: what cannot be read is an item that is skipped. */
  events(delivery: Delivery, settings?: SenderSettings): readonly DeliveryItem[];
}
