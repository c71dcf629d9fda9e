import * as z from 'zod/mini';
import { type Digest, isDigest } from '#model/digest.ts';
import type { CloudEvent } from '#model/event.ts';
import type { OpenAlert, OutboxEntry, StateRecord, Transition } from '#model/ledger.ts';
import { LEARNED_BY, type Removal } from '#model/removal.ts';
import { OUTCOMES, type ReasonCode } from '#model/verdict.ts';

const DigestText = z.custom<Digest>((value) => isDigest(value), 'a digest');

const Reason = z.object({
  // An older or newer version of the program may know other codes; they are shown, never judged.
  code: z.custom<ReasonCode>((value) => typeof value === 'string', 'a reason code'),
  message: z.string(),
  clause: z.optional(z.string()),
  wanted: z.optional(z.string()),
  found: z.optional(z.string()),
  evidence: z.optional(z.string()),
  next: z.optional(z.string()),
});

const Verdict = z.object({
  image: z.string(),
  digest: z.optional(DigestText),
  policy: z.object({ name: z.string(), kind: z.string(), uri: z.string(), digest: DigestText }),
  emulates: z.string(),
  mode: z.enum(['compat', 'strict']),
  outcome: z.enum(OUTCOMES),
  strictOutcome: z.optional(z.enum(OUTCOMES)),
  reasons: z.array(Reason),
});

const State = z.object({
  image: z.string(),
  policyUri: z.string(),
  sequence: z.number(),
  verdict: z.optional(Verdict),
  since: z.optional(z.string()),
  lastCheckedAt: z.string(),
  couldNotCheck: z.optional(z.object({ since: z.string(), verdict: Verdict })),
});

const StoredTransition = z.object({
  image: z.string(),
  policyUri: z.string(),
  sequence: z.number(),
  change: z.enum(['first', 'changed', 'could-not-check', 'checked-again']),
  at: z.string(),
  verdict: Verdict,
  previous: z.optional(z.object({ outcome: z.enum(OUTCOMES), reasons: z.array(Reason) })),
});

const Alert = z.object({ image: z.string(), policyUri: z.string(), since: z.string(), verdict: Verdict });

const StoredRemoval = z.object({
  kind: z.enum(['untagged', 'deleted']),
  tag: z.optional(z.string()),
  movedTo: z.optional(DigestText),
  at: z.string(),
  learnedBy: z.enum(LEARNED_BY),
  source: z.string(),
  actor: z.optional(z.string()),
});

const Event = z.custom<CloudEvent>(
  (value) => typeof value === 'object' && value !== null && 'specversion' in value && 'id' in value && 'type' in value,
  'a CloudEvents event',
);

const Entry = z.union([
  z.object({ kind: z.literal('transition'), transition: StoredTransition }),
  z.object({ kind: z.literal('event'), event: Event }),
]);

/** Undefined for what does not read as a record of ours: an unreadable state counts as none, so it is checked anew. */
export function parseState(text: string | null | undefined): StateRecord | undefined {
  return parse<StateRecord>(State, text);
}

export function parseAlert(text: string | null | undefined): OpenAlert | undefined {
  return parse<OpenAlert>(Alert, text);
}

export function parseEntry(text: string | null | undefined): OutboxEntry | undefined {
  return parse<OutboxEntry>(Entry, text);
}

export function parseRemoval(text: string | null | undefined): Removal | undefined {
  return parse<Removal>(StoredRemoval, text);
}

/** The history keeps the entries of the outbox. */
export function parseHistory(texts: readonly string[]): readonly Transition[] {
  return texts.flatMap((text) => {
    const entry = parseEntry(text);
    return entry?.kind === 'transition' ? [entry.transition] : [];
  });
}

function parse<Stored>(schema: z.ZodMiniType, text: string | null | undefined): Stored | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    const parsed = z.safeParse(schema, JSON.parse(text));
    return parsed.success ? (parsed.data as Stored) : undefined;
  } catch {
    return undefined;
  }
}
