import { anchorPaths } from '#config/anchor-paths.ts';
import { CHECKS } from '#config/checks/index.ts';
import { parseConfigDocument } from '#config/document.ts';
import { draftOf, type Entries, withoutEntriesAt } from '#config/draft.ts';
import { type ConfigPlaces, findMissing, type OutsideScope } from '#config/outside.ts';
import { type Finding, formatPath, type Problem } from '#config/problem.ts';
import { type Config, configJsonSchema } from '#config/schema.ts';
import { reasonOf } from '#config/secrets.ts';

export interface CheckedConfig {
  /** Present when there is no error. */
  readonly config?: Config;
  /** What can be tried further, whatever else is wrong. */
  readonly drafted?: DraftedEntries;
  /** Errors and warnings in the order of the file. */
  readonly problems: readonly Problem[];
  /** Finds the place of what is found out later, such as a policy that cannot be compiled. */
  place(finding: Finding): Problem;
}

export interface DraftedEntries {
  /** All that are well-formed. */
  readonly entries: Entries;
  /** Those of them whose files and variables are there. */
  readonly usable: Entries;
}

/** Reads and judges a configuration file. Never throws for what is wrong with it: everything is listed. */
export async function checkConfig(
  file: string,
  places: ConfigPlaces,
  scope: OutsideScope = 'all',
): Promise<CheckedConfig> {
  let text: string;
  try {
    text = Buffer.from(await places.readFile(file)).toString('utf8');
  } catch (error) {
    const message = `the configuration cannot be read (${reasonOf(error)})`;
    const mend = 'name it with --config FILE or ATTESTRY_CONFIG';
    return { problems: [{ severity: 'error', key: '', message, mend }], place: withoutPlace };
  }
  const document = parseConfigDocument(text);
  const { place } = document;
  if (document.problems.length > 0) return { problems: document.problems, place };

  const schema = configJsonSchema();
  const { raw, outside } = anchorPaths(document.raw, schema, file);
  const draft = draftOf(raw, schema);
  const missing = await findMissing(outside, scope, places);
  const findings = [...draft.findings, ...CHECKS.flatMap((check) => check(draft)), ...missing];
  const usable = withoutEntriesAt(
    draft.entries,
    missing.map(({ path }) => path),
  );
  const problems = findings.map(place).sort(byPlace);
  const valid = problems.every((problem) => problem.severity === 'warning');
  return {
    problems,
    place,
    drafted: { entries: draft.entries, usable },
    ...(valid && draft.config ? { config: draft.config } : {}),
  };
}

function withoutPlace({ severity, path, message, mend }: Finding): Problem {
  return { severity, key: formatPath(path), message, mend };
}

/** In the order of the file. */
export function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
