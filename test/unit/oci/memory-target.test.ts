import { createMemoryTarget } from '#oci/memory-target.ts';
import { testReferrers } from '../../contracts/referrers.ts';
import { testTarget } from '../../contracts/target.ts';

for (const contract of [testTarget, testReferrers]) {
  contract('memory', async () => ({ target: createMemoryTarget(), dispose: async () => {} }));
}
