import type { Verdict } from '#model/verdict.ts';

const MARKS = { pass: '✓', warn: '!', fail: '✗', error: '?', skip: '-' } as const;

/** A verdict for people: the outcome, then each reason with what to do about it. */
export function verdictText(verdict: Verdict): string {
  const { policy, outcome, emulates, reasons } = verdict;
  const judge = emulates === 'attestry' ? '' : ` (as ${emulates})`;
  const lines = [`${MARKS[outcome]} ${outcome}  ${policy.kind} ${policy.name}${judge}`];
  for (const reason of reasons) {
    lines.push(`    ${reason.message}`);
    if (reason.clause) lines.push(`      at      ${reason.clause}`);
    if (reason.wanted) lines.push(`      wanted  ${reason.wanted}`);
    if (reason.found) lines.push(`      found   ${reason.found}`);
    if (reason.evidence) lines.push(`      in      ${reason.evidence}`);
    if (reason.next) lines.push(`      next    ${reason.next}`);
  }
  return `${lines.join('\n')}\n`;
}
