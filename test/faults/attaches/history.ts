import { digestTag } from '#model/digest.ts';
import { attestationTag } from '#model/evidence.ts';
import { REGISTRY } from '../../support/installation.ts';
import type { ManifestChange } from '../../support/recording-proxy.ts';
import type { FaultImage } from './ground.ts';
import type { Form } from './size.ts';

/** Who changed a list of evidence. */
export type Writer = 'us' | 'cosign';

/** What writers did to the evidence of one image, by what they sent and in the order in which the registry took it. */
export interface ImageHistory {
  /** Who listed a piece first, by its digest. */
  readonly madeBy: ReadonlyMap<string, Writer>;
  /** Who took a piece off the list last, for those that are off it. */
  readonly removedBy: ReadonlyMap<string, Writer>;
  /** How often a list that we wrote lacked what cosign had listed just before. */
  readonly foreignOverwritten: number;
  /** Pieces of ours that cosign's writing took off. */
  readonly oursDestroyed: number;
}

/** The evidence that a change lists for an image; undefined when it is no change of that list. */
function listedBy(change: ManifestChange, { digest }: FaultImage, form: Form): readonly string[] | undefined {
  const wanted = form === 'legacy' ? attestationTag({ registry: REGISTRY, repository: '', digest }) : digestTag(digest);
  if (change.method !== 'PUT' || change.reference !== wanted) return undefined;
  const body = JSON.parse(change.body.toString());
  return (form === 'legacy' ? body.layers : body.manifests).map((each: { digest: string }) => each.digest);
}

export function historyOf(changes: readonly ManifestChange[], image: FaultImage, form: Form): ImageHistory {
  const madeBy = new Map<string, Writer>();
  const removedBy = new Map<string, Writer>();
  let before: ReadonlySet<string> = new Set();
  let foreignOverwritten = 0;
  let oursDestroyed = 0;
  for (const change of changes) {
    if (change.repository !== image.repository) continue;
    const writer: Writer = change.userAgent.startsWith('attestry') ? 'us' : 'cosign';
    const listed = form === 'referrers' ? withReferrer(before, change) : listedBy(change, image, form);
    if (!listed) continue;
    const now = new Set(listed);
    for (const piece of now) {
      if (!madeBy.has(piece)) madeBy.set(piece, writer);
      removedBy.delete(piece);
    }
    const gone = [...before].filter((piece) => !now.has(piece));
    for (const piece of gone) removedBy.set(piece, writer);
    const foreign = gone.filter((piece) => madeBy.get(piece) === 'cosign').length;
    if (writer === 'us' && foreign > 0) foreignOverwritten += 1;
    if (writer === 'cosign') oursDestroyed += gone.length - foreign;
    before = now;
  }
  return { madeBy, removedBy, foreignOverwritten, oursDestroyed };
}

/** A registry with the referrers API lists what refers to the image, until it is deleted. */
function withReferrer(before: ReadonlySet<string>, { method, reference, body }: ManifestChange): readonly string[] {
  if (method === 'DELETE') return [...before].filter((piece) => piece !== reference);
  return JSON.parse(body.toString()).subject === undefined ? [...before] : [...before, reference];
}
