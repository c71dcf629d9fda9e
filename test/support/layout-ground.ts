import { generateKeyPairSync } from 'node:crypto';
import { processWrittenStore } from '#cli/local-engine.ts';
import type { EnginePorts, EvidenceWish } from '#engine/engine-ports.ts';
import type { Digest } from '#model/digest.ts';
import type { EvidenceLocation, RawEvidence } from '#model/evidence.ts';
import type { Target } from '#oci/target.ts';
import { createKeySigner } from '#signing/key.ts';
import type { FixedSigner } from '#signing/signer.ts';
import { readAttestationTag, readSignatures } from '#storage/attestation-tag-reader.ts';
import { readBundles } from '#storage/bundle-reader.ts';
import { attest, enginePorts, REGISTRY } from './installation.ts';
import { startReferrersRegistry } from './referrers-registry.ts';
import { startRegistry } from './registry.ts';
import { connect } from './registry-target.ts';
import { push, smallImage } from './small-images.ts';
import { type WatchedTarget, watchTarget } from './watched-target.ts';

/** A registry of one of the two kinds: one that lists referrers, and one where clients keep the list at a tag. */
export interface LayoutRegistry extends AsyncDisposable {
  readonly client: Target;
}

export const REGISTRY_KINDS = ['referrers API', 'fallback tag'] as const;
export type RegistryKind = (typeof REGISTRY_KINDS)[number];

export async function openRegistry(kind: RegistryKind): Promise<LayoutRegistry> {
  const registry = kind === 'referrers API' ? await startReferrersRegistry() : await startRegistry();
  const client = connect(registry.url);
  return {
    client,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** A plain key: readable in both layouts. */
export function keySigner(id = 'signer'): FixedSigner {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return createKeySigner({ id, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
}

export interface CountingSigner {
  readonly signer: FixedSigner;
  signatures(): number;
}

export function counting(real: FixedSigner): CountingSigner {
  let signed = 0;
  const signer: FixedSigner = {
    ...real,
    signer: {
      sign: (data, signal) => {
        signed += 1;
        return real.signer.sign(data, signal);
      },
    },
  };
  return { signer, signatures: () => signed };
}

/** One image in a registry, and all that a test wants to know of its evidence. */
export interface LayoutGround {
  readonly location: EvidenceLocation;
  readonly target: WatchedTarget;
  readonly ports: EnginePorts;
  attestations(): Promise<readonly RawEvidence[]>;
  signatures(): Promise<readonly RawEvidence[]>;
  bundles(): Promise<readonly RawEvidence[]>;
  /** `type layout state` of each. */
  run(wishes: readonly EvidenceWish[], more?: Parameters<typeof attest>[4]): Promise<readonly string[]>;
  /** The same image for an installation that remembers nothing. */
  forgetful(): LayoutGround;
}

export async function layoutGround(client: Target, name: string): Promise<LayoutGround> {
  const repository = `layouts/${name}`;
  const digest = await push(client, repository, '1.0', await smallImage(name));
  return groundOf(client, { registry: REGISTRY, repository, digest });
}

function groundOf(client: Target, location: EvidenceLocation): LayoutGround {
  const target = watchTarget(client);
  const ports = enginePorts(target, { written: processWrittenStore() });
  return {
    location,
    target,
    ports,
    attestations: async () => (await readAttestationTag(client, location)).evidence,
    signatures: async () => (await readSignatures(client, location)).evidence,
    bundles: async () => (await readBundles(client, location)).evidence,
    run: async (wishes, more) => {
      const { evidence } = await attest(ports, location.repository, location.digest, wishes, more);
      return evidence.map(({ type, layout, state }) => `${type} ${layout} ${state}`);
    },
    forgetful: () => groundOf(client, location),
  };
}

/** The one signature of a piece, as it writes it. */
export function signatureOf({ layout, bytes }: RawEvidence): string | undefined {
  const json = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
  const envelope = layout === 'bundle' ? json.dsseEnvelope : json;
  return envelope.signatures[0]?.sig;
}

export function manifestsOf(evidence: readonly RawEvidence[]): readonly Digest[] {
  return evidence.map(({ manifestDigest }) => manifestDigest).sort();
}
