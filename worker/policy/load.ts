import { basename } from 'node:path';
import type * as z from 'zod/mini';
import { sha256 } from '#model/digest.ts';
import { AppError } from '#model/errors.ts';
import type { PolicyIdentity, Reason } from '#model/verdict.ts';
import type { SigstoreRoot } from '#policy/dialects/kyverno-cluster-policy/bundle-attestor.ts';
import { compileClusterPolicy, EMULATES } from '#policy/dialects/kyverno-cluster-policy/compile.ts';
import { PolicyDocument } from '#policy/dialects/kyverno-cluster-policy/schema.ts';
import type { CompiledPolicy, LoadedPolicy } from '#policy/policy.ts';
import { unusablePolicy } from '#policy/unusable-policy.ts';
import { type YamlDocument, yamlDocuments } from '#policy/yaml-documents.ts';

export interface PolicySource {
  /** Path or name of the file; the base name becomes part of the policy's uri. */
  readonly source: string;
  /**
   * What the Sigstore client of the admission controller trusts: Kyverno's type SigstoreBundle names no roots of its own.
   * Absent: that is not known, and evidence that needs it cannot be checked. @throws AppError `trust-unavailable`.
   */
  readonly sigstoreRoot?: SigstoreRoot;
}

const KYVERNO_VERSIONS: readonly string[] = ['kyverno.io/v1', 'kyverno.io/v2beta1'];
/** Issues of one document that are reported. */
const MAX_ISSUES = 10;

/**
 * Compiles every policy of a file. The uri of one is `file:<base name>#<kind>/[<namespace>/]<name>`, with `/2` behind it
 * when the file repeats the name: it stays the same when the text changes or the file moves. A document that is
 * malformed or not supported is a policy too, whose verdict is `error` with the reason; so is a file without any.
 */
export function compilePolicies(
  text: string,
  { source, sigstoreRoot = unknownRoot }: PolicySource,
): readonly LoadedPolicy[] {
  const file = basename(source);
  const documents = yamlDocuments(text);
  if (documents.length === 0) {
    const identity = { name: file, kind: 'File', uri: `file:${file}`, digest: sha256(text) };
    const next = 'write a ClusterPolicy into the file';
    return [unusablePolicy(identity, [malformed('the file holds no policy', undefined, next)], 'attestry')];
  }
  const seen = new Map<string, number>();
  return documents.map((document, index) => {
    const named = identityOf(document, file, index);
    const count = (seen.get(named.uri) ?? 0) + 1;
    seen.set(named.uri, count);
    return compileDocument(document, count === 1 ? named : { ...named, uri: `${named.uri}/${count}` }, sigstoreRoot);
  });
}

/** What `config check` says of a policy before any image is looked at; nothing when it can be judged in full. */
export function problems(policy: CompiledPolicy & { readonly problems?: readonly Reason[] }): readonly Reason[] {
  return policy.problems ?? [];
}

function compileDocument({ content }: YamlDocument, identity: PolicyIdentity, root: SigstoreRoot): LoadedPolicy {
  if (!content.ok) {
    const reason = malformed(`the policy is not YAML: ${content.problem}`, undefined, 'correct the YAML');
    return unusablePolicy(identity, [reason], 'attestry');
  }
  const { apiVersion, kind } = headerOf(content.value);
  const isKyverno = kind === 'ClusterPolicy' || kind === 'Policy';
  if (!isKyverno || !KYVERNO_VERSIONS.includes(apiVersion)) {
    return unusablePolicy(identity, [unknownKind(apiVersion, kind)], 'attestry');
  }
  const parsed = PolicyDocument.safeParse(content.value);
  if (parsed.success) return compileClusterPolicy(parsed.data, identity, root);
  const reasons = parsed.error.issues.slice(0, MAX_ISSUES).map((issue) => {
    const clause = issue.path.reduce<string>((path, part) => joined(path, part), '');
    return malformed(
      `the policy breaks its schema: ${issueText(issue)}`,
      clause || 'the document',
      'correct the field',
    );
  });
  return unusablePolicy(identity, reasons, EMULATES);
}

function unknownRoot(): never {
  throw new AppError('trust-unavailable', 'what the admission controller trusts for bundles is not known', {
    mend: 'name its trusted_root.json: --trusted-root FILE, or trustedRoot of the policy in the configuration',
  });
}

function identityOf({ text, content }: YamlDocument, file: string, index: number): PolicyIdentity {
  const digest = sha256(text);
  const { kind, name, namespace } = headerOf(content.ok ? content.value : undefined);
  if (kind === '' || name === '') {
    return { name: name || file, kind: kind || 'File', uri: `file:${file}#${index + 1}`, digest };
  }
  const path = [kind, ...(namespace ? [namespace] : []), name].join('/');
  return { name, kind, uri: `file:${file}#${path}`, digest };
}

function headerOf(value: unknown): { apiVersion: string; kind: string; name: string; namespace: string } {
  const metadata = memberOf(value, 'metadata');
  return {
    apiVersion: textOf(memberOf(value, 'apiVersion')),
    kind: textOf(memberOf(value, 'kind')),
    name: textOf(memberOf(metadata, 'name')),
    namespace: textOf(memberOf(metadata, 'namespace')),
  };
}

function unknownKind(apiVersion: string, kind: string): Reason {
  const found = [apiVersion, kind].filter(Boolean).join(' ') || 'neither apiVersion nor kind';
  return {
    code: kind === '' ? 'policy-malformed' : 'policy-unsupported',
    message:
      kind === '' ? 'the document names no kind of policy' : `policies of the kind ${kind} are not supported yet`,
    clause: 'kind',
    wanted: `ClusterPolicy or Policy of ${KYVERNO_VERSIONS.join(' or ')}`,
    found: found.slice(0, 200),
  };
}

function malformed(message: string, clause: string | undefined, next: string): Reason {
  return { code: 'policy-malformed', message, ...(clause === undefined ? {} : { clause }), next };
}

/** The schema library's small build brings no words of its own. */
function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `unknown field ${issue.keys.map((key) => JSON.stringify(key.slice(0, 80))).join(', ')}`;
    case 'invalid_type':
      return `${issue.expected} wanted`;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')} wanted`;
    default:
      return issue.code.replaceAll('_', ' ');
  }
}

function joined(path: string, part: PropertyKey): string {
  if (typeof part === 'number') return `${path}[${part}]`;
  return path === '' ? String(part) : `${path}.${String(part)}`;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 253) : '';
}
