import { createInstallation, type InstallationParts } from '#compose/installation.ts';
import type { SigningIdentity } from '#engine/engine-ports.ts';
import type { Installation } from '#jobs/installation.ts';

/** An installation whose signers may be replaced while it works. */
export interface LiveInstallation {
  /** Each job takes what it names as it is at that moment, and keeps it to its end. */
  readonly installation: Installation;
  readonly signers: ReadonlyMap<string, SigningIdentity>;
  replace(id: string, identity: SigningIdentity): void;
}

export function createLiveInstallation(parts: InstallationParts): LiveInstallation {
  const signers = new Map(parts.signers);
  let current = createInstallation({ ...parts, signers });
  return {
    installation: { source: parts.source, rules: parts.rules, armed: (rule) => current.armed(rule) },
    signers,
    replace: (id, identity) => {
      const next = new Map(signers).set(id, identity);
      current = createInstallation({ ...parts, signers: next });
      signers.set(id, identity);
    },
  };
}
