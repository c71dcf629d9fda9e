import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';
import { LINTS } from '#policy/lint/catalogue.ts';
import type { LintFinding } from '#policy/lint/finding.ts';

/** Findings in SARIF 2.1.0 (OASIS), as code scanning takes them: rules of the whole catalogue, one result a finding. */
export function lintSarif(findings: readonly LintFinding[]): string {
  const ids = Object.keys(LINTS);
  const rules = Object.entries(LINTS).map(([id, { severity, says, effect, mend }]) => ({
    id,
    shortDescription: { text: says },
    fullDescription: { text: `${effect}.` },
    help: { text: mend },
    defaultConfiguration: { level: severity },
  }));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: TOOL_NAME, version: TOOL_VERSION, rules } },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => resultOf(finding, ids.indexOf(finding.code))),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function resultOf({ code, severity, message, effect, mend, file, line, column, clause }: LintFinding, rule: number) {
  return {
    ruleId: code,
    ruleIndex: rule,
    level: severity,
    message: { text: `${message}. In admission: ${effect}. Mend: ${mend}.` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file) },
          region: { startLine: line, startColumn: column },
        },
        ...(clause ? { logicalLocations: [{ fullyQualifiedName: clause }] } : {}),
      },
    ],
  };
}

/** A path as a URI reference: relative ones stay so, since scanners look for them in the checkout. */
function uriOf(file: string): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  return file.startsWith('/') ? `file://${path}` : path;
}
