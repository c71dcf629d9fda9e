import type { Redis } from 'ioredis';
import * as z from 'zod/mini';
import { type Digest, isDigest } from '#model/digest.ts';
import type { EvidenceLocation, WrittenEvidence } from '#model/evidence.ts';
import type { ReferrerSubjects, WrittenEvidenceStore } from '#model/ledger.ts';
import { createKeys } from '#redis/keys.ts';
import { redisCall } from '#redis/redis-error.ts';

export interface WrittenEvidenceOptions {
  readonly prefix: string;
  /** Entries kept per location; the newest win. */
  readonly limit?: number;
  /** Milliseconds after the last use; at least a year. */
  readonly ttlMs?: number;
}

/** A location may hold a few hundred pieces of ours, in two layouts; what is forgotten can only be made anew. */
const LIMIT = 512;
const DAY_MS = 24 * 3_600_000;
const TTL_MS = 400 * DAY_MS;
const SHORTEST_TTL_MS = 365 * DAY_MS;

const DigestText = z.custom<Digest>((value) => isDigest(value), 'a digest');

const Record = z.object({
  layout: z.optional(z.enum(['cosign-tag', 'bundle'])),
  manifest: z.optional(DigestText),
  descriptor: z.object({
    mediaType: z.string(),
    digest: DigestText,
    size: z.number(),
    artifactType: z.optional(z.string()),
    annotations: z.optional(z.record(z.string(), z.string())),
  }),
  payloadDigest: DigestText,
  predicateType: z.string(),
  signer: z.string(),
  rule: z.string(),
  signedFor: z.optional(z.object({ source: z.string(), actor: z.optional(z.string()), tag: z.optional(z.string()) })),
  writtenAt: z.string(),
  pending: z.optional(z.literal(true)),
  superseded: z.optional(z.literal(true)),
});

/**
 * What we wrote, per evidence location: enough to list the same blobs again without signing. Each use sets the clock
 * back, so a record lives as long as its image is checked.
 */
export function createWrittenEvidence(
  redis: Redis,
  options: WrittenEvidenceOptions,
): WrittenEvidenceStore & ReferrerSubjects {
  const keys = createKeys(options.prefix);
  const limit = options.limit ?? LIMIT;
  const ttlMs = Math.max(options.ttlMs ?? TTL_MS, SHORTEST_TTL_MS);

  // A referrer that is deleted is told by its own digest alone.
  async function noteReferrers(
    { registry, repository, digest }: EvidenceLocation,
    written: readonly WrittenEvidence[],
  ) {
    const notes = redis.pipeline();
    for (const { manifest } of written) {
      if (manifest) notes.set(keys.evidenceOf(`${registry}/${repository}`, manifest), digest, 'PX', ttlMs);
    }
    if (notes.length > 0) await redisCall('note referrers', notes.exec());
  }

  return {
    async list(location) {
      const text = await redisCall('read written evidence', redis.getex(keys.written(location), 'PX', ttlMs));
      return text === null ? [] : parse(text);
    },
    async replace(location, written) {
      const key = keys.written(location);
      if (written.length === 0) {
        await redisCall('drop written evidence', redis.del(key));
        return;
      }
      const newest = written.toSorted((a, b) => (a.writtenAt < b.writtenAt ? 1 : -1)).slice(0, limit);
      // The order of the manifest is kept: it is what is listed again.
      const kept = written.filter((entry) => newest.includes(entry));
      await noteReferrers(location, kept);
      await redisCall('write written evidence', redis.set(key, JSON.stringify(kept), 'PX', ttlMs));
    },
    async subjectOf({ registry, repository }, manifest) {
      const key = keys.evidenceOf(`${registry}/${repository}`, manifest);
      const digest = await redisCall('look for referrer', redis.get(key));
      return isDigest(digest) ? digest : undefined;
    },
  };
}

/** Keys asked for at one step of the scan. */
const SCAN_COUNT = 500;

/**
 * Every record, location by location, in no order and without a snapshot: what is written meanwhile may be missed or
 * come twice. The clocks of the records stay as they are.
 */
export async function* scanWrittenEvidence(
  redis: Redis,
  { prefix }: Pick<WrittenEvidenceOptions, 'prefix'>,
): AsyncIterable<readonly WrittenEvidence[]> {
  const match = createKeys(prefix).everyWritten;
  let cursor = '0';
  do {
    const scan = redis.scan(cursor, 'MATCH', match, 'COUNT', SCAN_COUNT);
    const [next, found] = await redisCall('scan written evidence', scan);
    cursor = next;
    for (const key of found) {
      const text = await redisCall('read written evidence', redis.get(key));
      if (text !== null) yield parse(text);
    }
  } while (cursor !== '0');
}

/** An entry that does not read as ours is as good as none: whose evidence it is, is then found by its signature. */
function parse(text: string): readonly WrittenEvidence[] {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(stored)) return [];
  return stored.flatMap((entry) => {
    const parsed = z.safeParse(Record, entry);
    return parsed.success ? [parsed.data as WrittenEvidence] : [];
  });
}
