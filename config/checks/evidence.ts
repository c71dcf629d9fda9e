import type { Draft } from '#config/draft.ts';
import type { Finding } from '#config/problem.ts';
import { memberOf } from '#config/schema-node.ts';
import { isMadeType } from '#model/evidence-type.ts';

/** A summary is made of verdicts: a rule that gives none gets none. */
export function checkSummaries({ entries: { rules } }: Draft): Finding[] {
  return rules.flatMap(({ path, value }): Finding[] => {
    const judges = value.policies.length > 0 || value.evidence.some(({ type }) => isMadeType(type) && type !== 'vsa');
    const at = value.evidence.findIndex(({ type }) => type === 'vsa');
    if (at < 0 || judges) return [];
    const message = 'vsa says what the policies of the rule say, and this rule judges nothing';
    const mend = 'name a policy under policies';
    return [{ severity: 'error', path: [...path, 'evidence', at], message, mend }];
  });
}

/** What may be handed in comes over the API, and nobody may call one without tokens. */
export function checkHandedIn({ entries: { rules }, raw }: Draft): Finding[] {
  if (hasTokens(raw)) return [];
  return rules.flatMap(({ path, value }): Finding[] => {
    const at = value.evidence.findIndex(({ type }) => !isMadeType(type));
    if (at < 0) return [];
    const type = value.evidence[at]?.type ?? '';
    const message = `nobody can hand in ${type}: the API has no tokens`;
    const mend = 'add a token under producer.api.tokens';
    return [{ severity: 'warning', path: [...path, 'evidence', at], message, mend }];
  });
}

function hasTokens(raw: unknown): boolean {
  const api = memberOf(memberOf(raw, 'producer'), 'api');
  return [memberOf(api, 'tokens'), memberOf(api, 'operators')].some((list) => Array.isArray(list) && list.length > 0);
}
