import type { CommandIo } from '#cli/command.ts';
import { dockerConfigPath, readEnvironmentProxy } from '#compose/environment.ts';
import type { WrittenEvidence } from '#model/evidence.ts';
import { locationKey } from '#model/evidence.ts';
import type { WrittenEvidenceStore } from '#model/ledger.ts';
import type { EvidenceLock, OwnPushes } from '#model/ports.ts';
import { Secret, type SecretResolver } from '#model/secret.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import type { Registries } from '#oci/target.ts';

/**
 * Registries without a configuration: whatever host a reference names, with the credentials of Docker's own
 * configuration, as other clients do; or, in the place of all of them, one image layout in a folder.
 */
export async function localRegistries(io: CommandIo, layout?: string): Promise<Registries> {
  if (layout !== undefined) return (await import('#oci/layout-registries.ts')).openLayoutRegistries(layout);
  const { createRegistries } = await import('#oci/registries.ts');
  return createRegistries([], {
    userAgent: `${TOOL_NAME}/${TOOL_VERSION}`,
    now: io.now,
    secrets: refuseSecrets,
    dockerConfigPath: dockerConfigPath(io.env),
    ...readEnvironmentProxy(io.env),
    unlisted: 'allow',
  });
}

const refuseSecrets: SecretResolver = (reference) => new Secret('', reference);

/** One process is one writer: what other processes write meanwhile is found by comparing and reading back. */
export function processLock(): EvidenceLock {
  let fence = 0;
  return {
    acquire: async () => {
      fence += 1;
      return {
        fence,
        signal: new AbortController().signal,
        check: async () => {},
        [Symbol.asyncDispose]: async () => {},
      };
    },
  };
}

/** Without an intake in this process there is nobody to tell. */
export const noOwnPushes: OwnPushes = {
  announce: async () => {},
  has: async () => false,
  over: async () => undefined,
};

/** What this process wrote; a command line has no memory beyond its run. */
export function processWrittenStore(): WrittenEvidenceStore {
  const records = new Map<string, readonly WrittenEvidence[]>();
  return {
    list: async (location) => records.get(locationKey(location)) ?? [],
    replace: async (location, written) => void records.set(locationKey(location), written),
  };
}
