import type { ArmedRule, ScheduledPolicy } from '#jobs/installation.ts';
import type { ImageRef } from '#model/image-ref.ts';
import type { StateRecord } from '#model/ledger.ts';

/**
 * The names by which an image is known: that of the job, and those under which the recorded verdicts judged it. One
 * digest may have tags of several rules; whoever pushes one more tag must not thereby end the watch under the others.
 */
export function knownNames(image: ImageRef, states: readonly StateRecord[]): readonly ImageRef[] {
  const tags = new Set([image.tag, ...states.map((state) => judgedTag(state, image))]);
  return [...tags].map((tag) => taggedImage(image, tag));
}

/** The rule's policies that are to be judged under this name: each under the name of its last verdict. */
export function policiesOf(
  armed: ArmedRule,
  name: ImageRef,
  image: ImageRef,
  states: readonly StateRecord[],
): readonly ScheduledPolicy[] {
  return armed.policies.filter(({ policy }) => {
    const state = states.find(({ policyUri }) => policyUri === policy.identity.uri);
    return (state ? judgedTag(state, image) : image.tag) === name.tag;
  });
}

/** The same image under another tag, or none. */
export function taggedImage({ registry, repository, digest }: ImageRef, tag: string | undefined): ImageRef {
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The tag under which a state was found. The registry's name may hold a colon itself. */
export function judgedTag(
  { verdict, couldNotCheck }: StateRecord,
  { registry, repository }: ImageRef,
): string | undefined {
  const judged = (verdict ?? couldNotCheck?.verdict)?.image ?? '';
  const prefix = `${registry}/${repository}:`;
  if (!judged.startsWith(prefix)) return undefined;
  return judged.slice(prefix.length).split('@')[0];
}
