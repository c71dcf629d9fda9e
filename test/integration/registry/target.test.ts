import { testReferrers } from '../../contracts/referrers.ts';
import { type TargetUnderTest, testTarget } from '../../contracts/target.ts';
import { startReferrersRegistry } from '../../support/referrers-registry.ts';
import { startRegistry } from '../../support/registry.ts';
import { connect } from '../../support/registry-target.ts';

for (const contract of [testTarget, testReferrers]) {
  contract('registry', async () => opened(await startRegistry()));
  contract('registry with the referrers API', async () => opened(await startReferrersRegistry({ pageSize: 1 })));
}

function opened(registry: AsyncDisposable & { readonly url: URL }): TargetUnderTest {
  const target = connect(registry.url);
  return {
    target,
    async dispose() {
      await target[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}
