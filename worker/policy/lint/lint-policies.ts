import type { Reason, ReasonCode } from '#model/verdict.ts';
import { LINTS, type LintCode, type LintRow } from '#policy/lint/catalogue.ts';
import { clusterPolicyTraps } from '#policy/lint/cluster-policy-traps.ts';
import { clauseOf, type LintFinding, pathOf, type Trap } from '#policy/lint/finding.ts';
import { clusterImageTraps, imageValidatingTraps } from '#policy/lint/image-policy-traps.ts';
import { member, textOf } from '#policy/lint/members.ts';
import { compilePolicies } from '#policy/load.ts';
import { type YamlDocument, yamlDocuments } from '#policy/yaml-documents.ts';

/** Problems of a policy before any image, by what the linter calls them; others it finds by itself. */
const PROBLEMS: Readonly<Partial<Record<ReasonCode, LintCode>>> = {
  'policy-malformed': 'schema-broken',
  'policy-refused': 'refused-by-admission',
};

const SHOWN = 200;

/**
 * What is certainly wrong with the policies of a file by their text alone, in the order of the file. Nothing is fetched.
 * @param file as it is told in findings
 */
export function lintPolicies(text: string, file: string): readonly LintFinding[] {
  const documents = yamlDocuments(text);
  const policies = compilePolicies(text, { source: file });
  if (documents.length === 0) return [told({ code: 'not-yaml', path: [], found: 'it holds no policy' }, file)];
  return documents.flatMap((document, index) => {
    const traps = [...problemTraps(policies[index]?.problems ?? [], document), ...documentTraps(document)];
    const found = traps.map((trap) => told(trap, file, document));
    return found.toSorted((one, other) => one.line - other.line || one.column - other.column);
  });
}

function documentTraps({ content }: YamlDocument): readonly Trap[] {
  if (!content.ok) return [{ code: 'not-yaml', path: [], found: content.problem }];
  const kind = textOf(member(content.value, 'kind'));
  const [group = ''] = textOf(member(content.value, 'apiVersion')).split('/');
  switch (`${group}/${kind}`) {
    case 'kyverno.io/ClusterPolicy':
    case 'kyverno.io/Policy':
      return clusterPolicyTraps(content.value);
    case 'policies.kyverno.io/ImageValidatingPolicy':
    case 'policies.kyverno.io/NamespacedImageValidatingPolicy':
      return imageValidatingTraps(content.value);
    case 'policy.sigstore.dev/ClusterImagePolicy':
      return clusterImageTraps(content.value);
    default:
      return [{ code: 'kind-not-linted', path: ['kind'], found: [group, kind].filter(Boolean).join(' ') || 'none' }];
  }
}

function problemTraps(problems: readonly Reason[], { content }: YamlDocument): readonly Trap[] {
  // A document that is no YAML, or without a kind, is told as such.
  if (!content.ok || textOf(member(content.value, 'kind')) === '') return [];
  return problems.flatMap(({ code, message, clause = '', next }) => {
    const lint = PROBLEMS[code];
    if (!lint) return [];
    return [{ code: lint, path: pathOf(clause), found: message, ...(next === undefined ? {} : { mend: next }) }];
  });
}

function told({ code, path, found, mend }: Trap, file: string, document?: YamlDocument): LintFinding {
  const row: LintRow = LINTS[code];
  const { line, column } = document?.place(path) ?? { line: 1, column: 1 };
  return {
    file,
    line,
    column,
    policy: policyOf(document),
    code,
    severity: row.severity,
    clause: clauseOf(path),
    message: found === undefined ? row.says : `${row.says}: ${found.slice(0, SHOWN)}`,
    effect: row.effect,
    mend: mend ?? row.mend,
  };
}

function policyOf(document: YamlDocument | undefined): string {
  if (!document?.content.ok) return '';
  const { value } = document.content;
  return `${textOf(member(value, 'kind'))}/${textOf(member(value, 'metadata', 'name'))}`.slice(0, SHOWN);
}
