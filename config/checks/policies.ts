import { basename } from 'node:path';
import type { Draft } from '#config/draft.ts';
import type { Finding } from '#config/problem.ts';

/** States are kept by the base name of a policy's file, so that it can move; two files of one name would share them. */
export function checkPolicyFiles({ entries }: Draft): Finding[] {
  const files = new Map<string, string>();
  return entries.policies.flatMap(({ path, value }) => {
    return value.file.flatMap((file, index): Finding[] => {
      const name = basename(file);
      const other = files.get(name);
      files.set(name, other ?? file);
      if (other === undefined || other === file) return [];
      const message = `another policy file is called ${name}, and verdicts are kept by that name`;
      const at = value.file.length === 1 ? [...path, 'file'] : [...path, 'file', index];
      return [{ severity: 'error', path: at, message, mend: 'rename one of the two files' }];
    });
  });
}
