import { type Digest, sha256Hex } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import { type EvidenceLocation, locationKey } from '#model/evidence.ts';
import type { Lane } from '#model/job.ts';

/**
 * Every key that this product keeps in Redis. The part in braces is the hash tag of Redis Cluster: keys with one tag
 * live on one node, and a script may touch only those. Names that a sender may choose are hashed: they never choose a
 * key.
 */
export interface Keys {
  /** Prefix of a BullMQ queue; the queue's name follows it. One tag a queue. */
  queue(name: Lane | 'wake'): string;
  /** Hash job id → how often a worker began it without coming to an end. */
  unfinished(lane: Lane): string;
  /** Hash of the announcements that one waiting or running job is for, by their own hash. */
  announcements(lane: Lane, deduplicationId: string): string;

  /** Who writes to an evidence location now: its fence, with a time to live. */
  lock(location: EvidenceLocation): string;
  /** The last fence that was given out for a location. */
  fence(location: EvidenceLocation): string;
  /** Hash of the statements that wait to be signed for an image. */
  handedIn(image: string): string;
  /** Bytes that a caller of the API handed in within this hour. */
  handInAllowance(caller: string): string;
  /** JSON list of what we wrote to a location. */
  written(location: EvidenceLocation): string;
  /** Pattern of all of these. */
  readonly everyWritten: string;
  /** List of the latest pushes to a tag that lists evidence. */
  evidencePushes(location: EvidenceLocation, tag: string): string;
  /** While a manifest that we pushed may still be announced to us: what it came in place of. */
  ownPush(repository: string, digest: Digest): string;
  /** Present while a delivery may be sent again. */
  delivery(source: string, id: string): string;
  /** Deliveries that were kept for people to look at; all on one node. */
  readonly kept: KeptKeys;
  /** Present once something was told that is to be told once. */
  told(what: string): string;
  /** Prefix of the two counters of a repository's pushes. */
  rate(repository: string): string;
  /** Set of the repositories in which a digest was seen. */
  seen(digest: Digest): string;
  /** Hash list and serial number of a certificate → what the list said of it. */
  revocation(trust: string): string;
  /** Until when a registry host asked us to stay away. */
  hostPause(host: string): string;
  /** What all workers keep to with one registry; on one node, with its pause. */
  budget(registry: string): BudgetKeys;
  /** What all workers keep to with the jobs of one source. */
  sourceBudget(source: string): Omit<BudgetKeys, 'breaker'>;
  /** Hash job id → how often it was put off through no fault of its own. */
  putOffs(lane: Lane): string;
  /** Hash of the places that whose jobs wait in a lane have in it; of its queue's node. */
  turns(lane: Lane): string;
  /** The mark of one process: that its writes are stored is asked by it. */
  readonly durability: (id: string) => string;
  /** Hash of when a source spoke. */
  heard(source: string): string;
  /** The backfill: hash of its plan and counts; list of packed chunks; who enqueues; what images took; first contacts. */
  readonly backfill: {
    readonly state: string;
    chunks(id: string): string;
    readonly holder: string;
    readonly samples: string;
    firstContact(registry: string): string;
  };
  /** What sweeps remember: hash tag → digest and time; hash of times; set of repositories; who sweeps. */
  readonly sweep: {
    tags(registry: string, repository: string): string;
    state(registry: string): string;
    done(registry: string): string;
    holder(registry: string): string;
  };
  /** Hash tag → what it was last seen to name, of one repository (`registry/path`). */
  tagNames(repository: string): string;
  /** Digest of the image that a referrer of ours in a repository is about. */
  evidenceOf(repository: string, digest: Digest): string;
  /** Hash of what workers learnt of registries. */
  readonly learnt: string;

  /** What the ledger knows of one image; all on one node. */
  image(image: string): ImageKeys;
  /** Indexes over all images; on one node, derived from the image keys and repaired by themselves. */
  readonly index: IndexKeys;
}

export interface ImageKeys {
  /** Hash: revision and tag. */
  readonly head: string;
  /** Hash policy uri → state record. */
  readonly states: string;
  /** Hash policy uri → last sequence; outlives the state, so that the id of an event never comes twice. */
  readonly sequences: string;
  /** Hash policy uri → open alert. */
  readonly alerts: string;
  /** List of transitions, newest first. */
  readonly history: string;
  /** Sorted set of entry ids by order of writing, and the hash of their content. */
  readonly outbox: string;
  readonly outboxEntries: string;
  /** Hash of what the registry was found not to hold any more: the tag or the image itself → removal. */
  readonly removals: string;
}

export interface BudgetKeys {
  /** Hash: failures in a row, and until when the registry is left alone. */
  readonly breaker: string;
  /** When the next request may be sent, microseconds; of one lane or of all. */
  rate(lane: Lane | 'all'): string;
  /** Sorted set of the running jobs by the end of their lease; of one lane or of all. */
  slots(lane: Lane | 'all'): string;
}

export interface KeptKeys {
  /** One delivery; of no id, the prefix of all. */
  entry(id: string): string;
  /** Sorted set of a source's deliveries by time: of whom it knows, and of others. */
  pool(source: string, whose: 'known' | 'strangers'): string;
  /** Set of all pools. */
  readonly pools: string;
}

export interface IndexKeys {
  /** Sorted set of image and policy by the time of the next check. */
  readonly due: string;
  /** Hash image → tag. */
  readonly tags: string;
  /** Sorted set of image names, all of one score: paged by name. */
  readonly images: string;
  /** Sorted set of image and policy by the time their alert opened. */
  readonly alerts: string;
  /** Sorted set of images about to be written: what a crash left behind is found here. */
  readonly pending: string;
  /** Sorted set of images with something in their outbox. */
  readonly ready: string;
  /** Hash image → revision and worst outcome; and how many images there are of each. */
  readonly worst: string;
  readonly coverage: string;
}

/** @throws AppError `config-invalid` when the prefix could break the hash tags. */
export function createKeys(prefix: string): Keys {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(prefix)) {
    throw new AppError('config-invalid', 'the key prefix of Redis is not a plain word', {
      field: 'redis.prefix',
      mend: 'use up to 64 letters, digits, dots, dashes and underscores',
    });
  }
  const at = (subject: string, kind: string) => `${prefix}:{${sha256Hex(subject).slice(0, 32)}}:${kind}`;
  const index = (kind: string) => `${prefix}:{ledger}:${kind}`;
  return {
    queue: (name) => `${prefix}:{queue-${name}}`,
    unfinished: (lane) => `${prefix}:{queue-${lane}}:unfinished`,
    announcements: (lane, id) => at(`${lane}\n${id}`, 'announcements'),
    lock: (location) => at(locationKey(location), 'lock'),
    fence: (location) => at(locationKey(location), 'fence'),
    handedIn: (image) => at(image, 'handed-in'),
    handInAllowance: (caller) => at(`caller\n${caller}`, 'hand-in-allowance'),
    written: (location) => at(locationKey(location), 'written'),
    everyWritten: `${prefix}:{*}:written`,
    evidencePushes: (location, tag) => at(`${locationKey(location)}\n${tag}`, 'evidence-pushes'),
    ownPush: (repository, digest) => at(`${repository}@${digest}`, 'own-push'),
    delivery: (source, id) => at(`${source}\n${id}`, 'delivery'),
    kept: {
      entry: (id) => `${prefix}:{deliveries}:entry:${id}`,
      pool: (source, whose) => `${prefix}:{deliveries}:${whose}:${sha256Hex(source).slice(0, 32)}`,
      pools: `${prefix}:{deliveries}:pools`,
    },
    told: (what) => at(what, 'told'),
    rate: (repository) => at(repository, 'rate'),
    seen: (digest) => at(digest, 'seen'),
    revocation: (trust) => at(trust, 'revocation'),
    hostPause: (host) => at(host.toLowerCase(), 'pause'),
    budget: (registry) => ({
      breaker: at(registry.toLowerCase(), 'breaker'),
      rate: (lane) => at(registry.toLowerCase(), `rate-${lane}`),
      slots: (lane) => at(registry.toLowerCase(), `slots-${lane}`),
    }),
    sourceBudget: (source) => ({
      rate: (lane) => at(`source\n${source}`, `rate-${lane}`),
      slots: (lane) => at(`source\n${source}`, `slots-${lane}`),
    }),
    putOffs: (lane) => `${prefix}:{queue-${lane}}:put-offs`,
    turns: (lane) => `${prefix}:{queue-${lane}}:turns`,
    durability: (id) => at(id, 'durability'),
    heard: (source) => at(source, 'heard'),
    tagNames: (repository) => at(repository, 'tag-names'),
    evidenceOf: (repository, digest) => at(`${repository}@${digest}`, 'evidence-of'),
    learnt: `${prefix}:{registries}:learnt`,
    backfill: {
      state: `${prefix}:{backfill}:state`,
      chunks: (id) => `${prefix}:{backfill}:chunks:${sha256Hex(id).slice(0, 16)}`,
      holder: `${prefix}:{backfill}:holder`,
      samples: `${prefix}:{backfill}:samples`,
      firstContact: (registry) => at(registry, 'first-contact'),
    },
    sweep: {
      tags: (registry, repository) => at(`${registry}/${repository}`, 'swept-tags'),
      state: (registry) => at(registry, 'sweep'),
      done: (registry) => at(registry, 'sweep-done'),
      holder: (registry) => at(registry, 'sweep-holder'),
    },
    image: (image) => ({
      head: at(image, 'head'),
      states: at(image, 'states'),
      sequences: at(image, 'sequences'),
      alerts: at(image, 'alerts'),
      history: at(image, 'history'),
      outbox: at(image, 'outbox'),
      outboxEntries: at(image, 'outbox-entries'),
      removals: at(image, 'removals'),
    }),
    index: {
      due: index('due'),
      tags: index('tags'),
      images: index('images'),
      alerts: index('alerts'),
      pending: index('pending-outbox'),
      ready: index('ready-outbox'),
      worst: index('worst'),
      coverage: index('coverage'),
    },
  };
}
