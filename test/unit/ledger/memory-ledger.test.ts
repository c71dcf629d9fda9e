import { createMemoryLedger } from '#ledger/memory-ledger.ts';
import { testLedger } from '../../contracts/ledger.ts';
import { testLedgerIndexes } from '../../contracts/ledger-indexes.ts';
import { testLedgerRemovals } from '../../contracts/ledger-removals.ts';

testLedger('the memory ledger', async () => createMemoryLedger());
testLedgerIndexes('the memory ledger', async () => createMemoryLedger());
testLedgerRemovals('the memory ledger', async () => createMemoryLedger());
