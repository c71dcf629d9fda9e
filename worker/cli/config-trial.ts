import { readFileSync } from 'node:fs';
import type { CommandIo } from '#cli/command.ts';
import { loadSigners } from '#compose/signers.ts';
import { loadTrusts } from '#compose/trusts.ts';
import type { Finding, Path } from '#config/problem.ts';
import type { Config } from '#config/schema.ts';
import { createSecretResolver } from '#config/secrets.ts';
import { toAppError } from '#model/errors.ts';
import { compilePolicies, problems } from '#policy/load.ts';

/**
 * Tries what the configuration names as a worker would at its start: keys and certificates are read and linted, trusts
 * parsed, policies compiled. A policy that cannot be judged is a warning: a worker runs, and its verdict is `error`.
 */
export async function tryConfig(config: Config, io: Pick<CommandIo, 'readFile' | 'env' | 'now'>): Promise<Finding[]> {
  const secrets = createSecretResolver({ env: io.env, readFileSync: (path) => readFileSync(path) });
  const found: Finding[] = [];
  for (const [index, signer] of config.signers.entries()) {
    const files = { secrets, readFile: io.readFile, now: io.now() };
    found.push(...(await refusal(['signers', index], () => loadSigners([signer], files))));
  }
  for (const [index, trust] of config.trusts.entries()) {
    found.push(...(await refusal(['trusts', index], () => loadTrusts([trust], io.readFile))));
  }
  for (const [index, policy] of config.policies.entries()) {
    found.push(...(await policyFindings(policy, ['policies', index], io)));
  }
  return found;
}

async function refusal(path: Path, work: () => Promise<unknown>): Promise<Finding[]> {
  try {
    await work();
    return [];
  } catch (thrown) {
    const { message, mend } = toAppError(thrown);
    return [{ severity: 'error', path, message, mend: mend ?? 'a worker does not start like this' }];
  }
}

async function policyFindings(
  policy: Config['policies'][number],
  path: Path,
  io: Pick<CommandIo, 'readFile'>,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const source of policy.file) {
    for (const compiled of compilePolicies((await io.readFile(source)).toString('utf8'), { source })) {
      for (const { message, clause, next } of problems(compiled)) {
        const where = [compiled.identity.uri, ...(clause === undefined ? [] : [clause])].join(' ');
        const mend = next ?? 'its verdicts will be errors until it is mended';
        found.push({ severity: 'warning', path: [...path, 'file'], message: `${where}: ${message}`, mend });
      }
    }
  }
  return found;
}
