import * as z from 'zod/mini';
import { FORMS } from '#predicates/given-forms.ts';

/** What is wrong with a predicate that was handed in, and where. */
export interface PredicateProblem {
  /** `predicate.statements[0].status`. */
  readonly field: string;
  readonly message: string;
  readonly mend: string;
}

/**
 * What is wrong with a predicate by the form of its type: the required members, and those whose values are few. Members
 * beyond are let through, as the specifications ask of consumers.
 */
export function predicateProblem(predicateType: string, predicate: unknown): PredicateProblem | undefined {
  if (typeof predicate !== 'object' || predicate === null || Array.isArray(predicate)) {
    const message = 'is not a JSON object, and strict verifiers accept no other';
    return { field: 'predicate', message, mend: 'put it into an object, e.g. under a member "content"' };
  }
  const known = FORMS.find(({ types }) =>
    types instanceof RegExp ? types.test(predicateType) : types.includes(predicateType),
  );
  if (!known) return undefined;
  const parsed = z.safeParse(known.form, predicate);
  if (parsed.success) return undefined;
  const issue = parsed.error.issues[0];
  const field = ['predicate', ...(issue?.path ?? [])].reduce<string>(joined, '');
  return { field, message: worded(issue, valueAt(predicate, issue?.path ?? [])), mend: `see ${known.see}` };
}

function joined(path: string, part: PropertyKey): string {
  if (typeof part === 'number') return `${path}[${part}]`;
  return path === '' ? String(part) : `${path}.${String(part)}`;
}

type Issue = z.core.$ZodIssue;

function worded(issue: Issue | undefined, found: unknown): string {
  if (found === undefined) return 'is missing';
  if (issue?.code === 'invalid_value') return `is not ${issue.values.map(String).join(', ')}`;
  if (issue?.code === 'invalid_type') return `is not of type ${issue.expected}`;
  if (issue?.code === 'too_small') return 'is empty';
  if (issue?.code === 'invalid_union') return 'has none of the forms that it may have';
  return issue?.message ?? 'is malformed';
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, part) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? Reflect.get(at, part) : undefined,
    value,
  );
}
