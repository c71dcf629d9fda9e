import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { verifyImage } from '#engine/verify.ts';
import type { Descriptor } from '#model/descriptor.ts';
import { AppError } from '#model/errors.ts';
import { OCI_MANIFEST } from '#model/media-types.ts';
import type { Verdict } from '#model/verdict.ts';
import { createMemoryTarget } from '#oci/memory-target.ts';
import { referrerOf } from '#oci/referrer.ts';
import type { Registries, Target } from '#oci/target.ts';
import { compilePolicies } from '#policy/load.ts';
import { parseTrustedRoot } from '#verification/trusted-root.ts';
import { type BundleCase, type BundleCheck, bundlePolicy, corpusBytes, corpusKey } from './bundle-corpus.ts';
import { RECORDED_NOW } from './recorded-verdicts.ts';

const IMAGE = { registry: 'registry.test', repository: 'case', tag: 'v1' };

/** Our verdict under a recorded policy of type SigstoreBundle, from the registry's bytes through the engine. */
export async function kyvernoOnBundles(recorded: BundleCase, check: BundleCheck): Promise<Verdict> {
  const { trustedRoot } = check;
  const root = trustedRoot === undefined ? undefined : parseTrustedRoot(Buffer.from(corpusKey(trustedRoot)));
  const policies = compilePolicies(bundlePolicy(check.policy ?? ''), {
    source: check.policy ?? '',
    ...(root ? { sigstoreRoot: () => root } : {}),
  });
  const target = targetOf(recorded);
  const registries: Registries = { nameOf: (host) => host, target: () => target, close: async () => {} };
  const { verdicts } = await verifyImage({ image: IMAGE, policies }, { registries, now: () => RECORDED_NOW });
  const [verdict, ...more] = verdicts;
  assert.ok(verdict);
  assert.deepEqual(more, []);
  return verdict;
}

function targetOf({ digest, referrers }: BundleCase): Target {
  return {
    ...createMemoryTarget(),
    resolve: async () => ({ mediaType: OCI_MANIFEST, digest, size: 1 }),
    async manifest(_repository, reference) {
      // The image's own bytes are not recorded: no bundle of the corpus signs them.
      const bytes = reference === digest ? Buffer.from('{}') : corpusBytes(reference as BundleCase['digest']);
      if (!bytes) throw new AppError('not-found', `${reference} is not there`);
      return {
        descriptor: { mediaType: mediaTypeOf(bytes), digest: reference as BundleCase['digest'], size: bytes.length },
        bytes,
      };
    },
    async *referrers() {
      for (const referrer of referrers) yield listed(referrer);
    },
    async blob(_repository, { digest: wanted }) {
      const bytes = corpusBytes(wanted);
      if (!bytes) throw new AppError('not-found', `${wanted} is not there`);
      return Readable.from([bytes]);
    },
  };
}

function listed(digest: BundleCase['digest']): Descriptor {
  const bytes = corpusBytes(digest) ?? Buffer.from('{}');
  const descriptor = { mediaType: mediaTypeOf(bytes), digest, size: bytes.length };
  return referrerOf(descriptor, bytes)?.entry ?? descriptor;
}

function mediaTypeOf(bytes: Buffer): string {
  return JSON.parse(bytes.toString('utf8')).mediaType ?? OCI_MANIFEST;
}
