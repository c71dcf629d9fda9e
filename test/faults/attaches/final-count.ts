import type { Descriptor } from '#model/descriptor.ts';
import type { Target } from '#oci/target.ts';
import { readAttached, readBytes } from '../../support/attachments.ts';
import { listReferrers } from '../../support/referrers.ts';
import type { ForeignAttach } from './foreign-writer.ts';
import { type AttachGround, FAULT_TYPE, type FaultImage } from './ground.ts';
import { historyOf } from './history.ts';
import type { Form } from './size.ts';

/** What is attached in the end, against what was to be. */
export interface FinalCount {
  readonly oursListed: number;
  readonly oursMissing: number;
  readonly duplicates: number;
  readonly foreignListed: number;
  /** Attached by cosign, not listed in the end, and last taken off by us. */
  readonly foreignRemovedByUs: number;
  /** Attached by cosign, not listed in the end, and last taken off by cosign. */
  readonly foreignLostByCosign: number;
  /** How often a list of ours went over one that cosign had just written. */
  readonly foreignOverwritten: number;
  /** Pieces of ours that cosign took off a list; each had to be listed again. */
  readonly oursDestroyed: number;
}

interface Listed {
  /** As the list names it. */
  readonly digest: string;
  readonly predicateType: string;
}

export async function countAll(
  form: Form,
  ground: AttachGround,
  foreign: readonly ForeignAttach[],
): Promise<FinalCount> {
  const total = {
    oursListed: 0,
    oursMissing: 0,
    duplicates: 0,
    foreignListed: 0,
    foreignRemovedByUs: 0,
    foreignLostByCosign: 0,
    foreignOverwritten: 0,
    oursDestroyed: 0,
  };
  for (const image of ground.images) {
    const listed = await listedOn(ground.client, image, form);
    const types = Map.groupBy(listed, ({ predicateType }) => predicateType);
    const ours = image.types.filter((type) => types.has(type));
    total.oursListed += ours.length;
    total.oursMissing += image.types.length - ours.length;
    const ofFault = listed.filter(({ predicateType }) => predicateType.startsWith(FAULT_TYPE));
    total.duplicates += ofFault.length - ours.length;
    const history = historyOf(ground.proxy.changes, image, form);
    const still = new Set(listed.map(({ digest }) => digest));
    const theirs = [...history.madeBy].filter(([, by]) => by === 'cosign').map(([piece]) => piece);
    total.foreignListed += theirs.filter((piece) => still.has(piece)).length;
    for (const piece of theirs.filter((each) => !still.has(each))) {
      if (history.removedBy.get(piece) === 'us') total.foreignRemovedByUs += 1;
      else total.foreignLostByCosign += 1;
    }
    total.foreignOverwritten += history.foreignOverwritten;
    total.oursDestroyed += history.oursDestroyed;
  }
  const written = foreign.filter(({ succeeded }) => succeeded).length;
  const known = total.foreignListed + total.foreignRemovedByUs + total.foreignLostByCosign;
  // What cosign wrote to a fallback list and the registry took is in the history; beyond that nothing was ever listed.
  return { ...total, foreignLostByCosign: total.foreignLostByCosign + Math.max(0, written - known) };
}

async function listedOn(client: Target, image: FaultImage, form: Form): Promise<readonly Listed[]> {
  const { repository, digest } = image;
  if (form === 'legacy') {
    const { layers } = await readAttached(client, repository, digest);
    return Promise.all(layers.map((layer) => readListed(client, repository, layer.digest, layer)));
  }
  const listed: Listed[] = [];
  for (const referrer of await listReferrers(client, repository, digest)) {
    const { bytes } = await client.manifest(repository, referrer.digest);
    const [layer] = JSON.parse(Buffer.from(bytes).toString()).layers as readonly Descriptor[];
    if (layer) listed.push(await readListed(client, repository, referrer.digest, layer));
  }
  return listed;
}

/** An envelope, or the bundle that holds one. */
async function readListed(client: Target, repository: string, digest: string, layer: Descriptor): Promise<Listed> {
  const stored = JSON.parse((await readBytes(client, repository, layer)).toString());
  const { payload } = stored.dsseEnvelope ?? stored;
  return { digest, predicateType: JSON.parse(Buffer.from(payload, 'base64').toString()).predicateType };
}
