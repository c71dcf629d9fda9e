import { isLoopbackHost } from '#http/addresses.ts';
import type { Reach } from '#http/client.ts';

/** On whose word `to` is reached when the registry at `base` names it. */
export function reachFrom(base: URL, to: URL): Reach {
  if (to.host === base.host) return 'listed';
  return isLoopbackHost(base.hostname) ? 'named-local' : 'named';
}
