import type { Digest } from '#model/digest.ts';
import { formatRepositoryRef } from '#model/image-ref.ts';
import type { SignedStatement } from '#model/signed-statement.ts';
import type { PlatformImage, Subject } from '#model/subject.ts';
import { readBuildkitStatements } from '#engine/buildkit-statements.ts';
import type { EnginePorts } from '#engine/engine-ports.ts';
import type { PlacedWish } from '#engine/wish-location.ts';
import { provenancePredicate } from '#predicates/provenance.ts';
import { sbomPredicate } from '#predicates/sbom.ts';
import { statementBytes } from '#predicates/statement.ts';
import { type Inventory, refuseSilentZero, takeInventory } from '#sbom/inventory.ts';
import { signStatement } from '#signing/sign-statement.ts';

/** What making evidence reports on the way. */
export type MakerStep =
  | { readonly step: 'inventory'; readonly platform: Digest; readonly packages: number }
  | { readonly step: 'signed'; readonly type: string; readonly subject: Digest; readonly fingerprint: string };

export interface StatementMaker {
  make(placed: PlacedWish): Promise<SignedStatement>;
  /** Packages found, by platform digest; grows as SBOMs are made. */
  readonly packages: ReadonlyMap<Digest, number>;
}

/**
 * Makes and signs statements about one subject. Each inventory is taken once and each statement signed once, however
 * often it is asked for: a write that is tried again must carry the same bytes.
 */
export function createStatementMaker(
  subject: Subject,
  ports: EnginePorts,
  options: { signal?: AbortSignal | undefined; onStep?: ((step: MakerStep) => void) | undefined },
): StatementMaker {
  const signed = new Map<string, Promise<SignedStatement>>();
  const inventories = new Map<Digest, Promise<Inventory>>();
  const packages = new Map<Digest, number>();
  const source = ports.registries.target(subject.image.registry);

  function inventoryOf(platform: PlatformImage): Promise<Inventory> {
    return once(inventories, platform.descriptor.digest, async () => {
      const inventory = await takeInventory({
        source,
        repository: subject.image.repository,
        layers: platform.layers,
        cache: ports.layerFacts,
        limits: ports.walkLimits,
        signal: options.signal,
      });
      refuseSilentZero(inventory);
      packages.set(platform.descriptor.digest, inventory.packages.length);
      options.onStep?.({
        step: 'inventory',
        platform: platform.descriptor.digest,
        packages: inventory.packages.length,
      });
      return inventory;
    });
  }

  async function predicateOf({ wish, platform }: PlacedWish): Promise<object> {
    const platforms = platform ? [platform] : subject.platforms;
    switch (wish.type) {
      case 'cyclonedx': {
        const parts = [];
        for (const each of platforms) parts.push({ platform: each, inventory: await inventoryOf(each) });
        return sbomPredicate({ subject, parts, whole: platform === undefined, predicateType: wish.predicateType });
      }
      case 'slsaprovenance1': {
        const buildkit = await readBuildkitStatements(source, subject, options.signal);
        return provenancePredicate({ subject, platforms, whole: platform === undefined, buildkit, builderId: ports.builderId });
      }
    }
  }

  async function make(placed: PlacedWish): Promise<SignedStatement> {
    const { wish, descriptor } = placed;
    const payload = statementBytes({
      subjectName: formatRepositoryRef(subject.image),
      subjectDigest: descriptor.digest,
      predicateType: wish.predicateType,
      predicate: await predicateOf(placed),
    });
    const statement = await signStatement(wish.identity.signer, payload, wish.predicateType);
    const { fingerprint } = statement;
    options.onStep?.({ step: 'signed', type: wish.type, subject: descriptor.digest, fingerprint });
    return statement;
  }

  return {
    packages,
    make: (placed) => {
      const { wish, descriptor } = placed;
      const key = [wish.predicateType, wish.identity.signer.fingerprint, descriptor.digest].join('\n');
      return once(signed, key, () => make(placed));
    },
  };
}

function once<Key, Value>(memo: Map<Key, Promise<Value>>, key: Key, make: () => Promise<Value>): Promise<Value> {
  const known = memo.get(key);
  if (known) return known;
  const made = make();
  memo.set(key, made);
  return made;
}
