import * as z from 'zod/mini';
import { type Digest, isDigest } from '#model/digest.ts';
import { isMadeType } from '#model/evidence-type.ts';
import type { EvidenceRule, Rule } from '#model/rule.ts';
import type { SigningRefusal } from '#model/signing-refusal.ts';

const DigestText = z.custom<Digest>((value) => isDigest(value), 'a digest');

/** A statement that somebody handed in to be signed, as it waits for its job. */
export const HandedIn = z.object({
  v: z.literal(1),
  /** By the registry's configured name; the tag is the sender's word. */
  image: z.object({
    registry: z.string(),
    repository: z.string(),
    tag: z.optional(z.string()),
    digest: DigestText,
  }),
  predicateType: z.string(),
  /** The in-toto statement, base64: signed as it is. */
  statement: z.string(),
  /** Id of the signer that is asked for, where a rule names several. */
  signer: z.optional(z.string()),
  source: z.string(),
  actor: z.optional(z.string()),
  /** W3C Trace Context. */
  traceparent: z.string(),
  /** ISO 8601. */
  receivedAt: z.string(),
});
export type HandedIn = z.infer<typeof HandedIn>;

/** What was handed in and is not signed yet, per image (`registry/repository@digest`). */
export interface HandedInStore {
  /**
   * Keeps a statement; when this resolves it outlives this process. The same one again is one.
   * @throws AppError `handed-in-full`, `redis-unavailable`.
   */
  put(image: string, handedIn: HandedIn): Promise<string>;
  /** Ids of what waits. */
  list(image: string): Promise<readonly string[]>;
  /** Undefined when it is gone, or does not read as one. */
  get(image: string, id: string): Promise<HandedIn | undefined>;
  drop(image: string, id: string): Promise<void>;
}

/** Bytes of one statement that is taken over the API; what waits lies in Redis. */
export const MAX_HANDED_IN_BYTES = 4 * 1024 * 1024;

/** Which entry of a rule lets a statement of this type be signed, or why none does. */
export function entryFor(
  rule: Rule,
  predicateType: string,
  signer: string | undefined,
): EvidenceRule | { readonly refused: SigningRefusal } {
  const ofType = rule.evidence.filter((entry) => entry.predicateType === predicateType && !isMadeType(entry.type));
  const [first] = ofType;
  if (!first) {
    const made = rule.evidence.some((entry) => entry.predicateType === predicateType);
    const why = made
      ? `type ${predicateType} is made here under rule ${rule.name}, and cannot be handed in`
      : `type ${predicateType} is not named by rule ${rule.name}`;
    return { refused: { reason: 'type', why } };
  }
  const entry = signer === undefined ? first : ofType.find((each) => each.signer === signer);
  if (entry) return entry;
  const why = `signer ${signer} is not ${ofType.map((each) => each.signer).join(' or ')}, whom rule ${rule.name} names`;
  return { refused: { reason: 'signer', why } };
}
