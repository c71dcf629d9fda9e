import { SEVERITIES } from '#policy/lint/catalogue.ts';
import type { LintFinding } from '#policy/lint/finding.ts';

/** Findings for a person: place, what is wrong, what it does, what to do. */
export function lintText(findings: readonly LintFinding[]): string {
  if (findings.length === 0) return 'nothing found\n';
  const counts = SEVERITIES.flatMap((severity) => {
    const count = findings.filter((each) => each.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 ? '' : 's'}`];
  });
  return `${findings.map(findingText).join('')}${counts.join(', ')}\n`;
}

function findingText(finding: LintFinding): string {
  const { file, line, column, severity, code, message, effect, mend, clause, policy } = finding;
  const where = [policy, clause].filter(Boolean).join(' ');
  return [
    `${file}:${line}:${column}: ${severity} ${code}: ${message}`,
    ...(where ? [`  in ${where}`] : []),
    `  ${effect}`,
    `  mend: ${mend}`,
    '\n',
  ].join('\n');
}
