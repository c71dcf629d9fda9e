import { createMemoryLedger } from '#ledger/memory-ledger.ts';
import { testLedger } from '../../contracts/ledger.ts';

testLedger('the memory ledger', async () => createMemoryLedger());
