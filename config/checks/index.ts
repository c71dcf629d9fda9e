import { checkHandedIn, checkSummaries } from '#config/checks/evidence.ts';
import { checkReferences, checkUniqueIds } from '#config/checks/ids.ts';
import { checkImmutableTags, checkMixedLayouts, checkPathDepth, checkTimeEvidence } from '#config/checks/layouts.ts';
import { checkOffline } from '#config/checks/offline.ts';
import { checkPolicyFiles } from '#config/checks/policies.ts';
import { checkReaders } from '#config/checks/readers.ts';
import {
  checkEvidenceRepositories,
  checkPromotions,
  checkRegistryAddresses,
  checkRegistryNames,
} from '#config/checks/registries.ts';
import { checkMatchedRegistries, checkReachable, checkRepetitions, checkWhen } from '#config/checks/rules.ts';
import type { Draft } from '#config/draft.ts';
import type { Finding } from '#config/problem.ts';

/** What the schema of a single entry cannot see. Each check stands alone, so that all of them always speak. */
export const CHECKS: readonly ((draft: Draft) => Finding[])[] = [
  checkUniqueIds,
  checkReferences,
  checkRegistryNames,
  checkRegistryAddresses,
  checkEvidenceRepositories,
  checkPolicyFiles,
  checkReachable,
  checkMatchedRegistries,
  checkRepetitions,
  checkWhen,
  checkSummaries,
  checkHandedIn,
  checkPromotions,
  checkTimeEvidence,
  checkMixedLayouts,
  checkPathDepth,
  checkImmutableTags,
  checkReaders,
  checkOffline,
];
