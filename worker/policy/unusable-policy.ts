import { formatImageRef } from '#model/image-ref.ts';
import type { PolicyIdentity, Reason } from '#model/verdict.ts';
import type { LoadedPolicy } from '#policy/policy.ts';

/**
 * A document that cannot be judged at all. It stays a policy, so that every image under it has a verdict that says why:
 * outcome `error`, never a pass and never nothing.
 */
export function unusablePolicy(identity: PolicyIdentity, reasons: readonly Reason[], emulates: string): LoadedPolicy {
  return {
    identity,
    emulates,
    problems: reasons,
    needs: () => ({ locations: [] }),
    evaluate: ({ image, digest }) => ({
      image: formatImageRef({ ...image, digest }),
      digest,
      policy: identity,
      emulates,
      mode: emulates === 'attestry' ? 'strict' : 'compat',
      outcome: 'error',
      reasons,
    }),
  };
}
