import { createMemoryTarget } from '#oci/memory-target.ts';
import { testTarget } from '../../contracts/target.ts';

testTarget('memory', async () => ({ target: createMemoryTarget(), dispose: async () => {} }));
