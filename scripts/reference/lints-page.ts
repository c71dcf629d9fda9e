import { LINTS, type LintRow, SEVERITIES } from '#policy/lint/catalogue.ts';
import { code, page, table } from './markdown.ts';

const SEVERITY_MEANINGS: Readonly<Record<(typeof SEVERITIES)[number], string>> = {
  error: 'it never works, or lets in what nobody meant',
  warning: 'it does less than it seems to',
  note: 'it will not stay as it is; the exit code does not tell',
};

/** docs/reference/policy-lint.md */
export function lintsPage(): string {
  const rows = Object.entries<LintRow>(LINTS).map(([name, { severity, says, effect, mend }]) => {
    return [code(name), severity, says, effect, mend];
  });
  return page(
    'What `attestry policy lint` finds',
    'Each row is certain by the text of a policy alone: nothing is fetched, no image is looked at. `attestry policy lint FILE...` answers 0 when there is nothing, 1 with findings (`--fail-on error` leaves warnings out), 2 when a file or document cannot be read; `--format sarif` is for code scanning.',
    table(
      ['severity', 'meaning'],
      SEVERITIES.map((severity) => [code(severity), SEVERITY_MEANINGS[severity]]),
    ),
    table(['code', 'severity', 'what is wrong', 'in admission', 'mend'], rows),
  );
}
