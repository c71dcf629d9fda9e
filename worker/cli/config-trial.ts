import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CommandIo } from '#cli/command.ts';
import { presumeRemote } from '#cli/presumed-key.ts';
import { createKeys } from '#compose/keys.ts';
import { createOutbound } from '#compose/outbound.ts';
import { policyReaderFindings } from '#compose/policy-readers.ts';
import { createRevocation } from '#compose/revocation.ts';
import { loadSigners } from '#compose/signers.ts';
import { createTrustSources } from '#compose/trust-sources.ts';
import { loadTrusts } from '#compose/trusts.ts';
import type { Finding, Path } from '#config/problem.ts';
import type { Config } from '#config/schema.ts';
import { createSecretResolver } from '#config/secrets.ts';
import { toAppError } from '#model/errors.ts';
import { compilePolicies, problems } from '#policy/load.ts';
import type { WitnessOptions } from '#signing/options.ts';
import type { Attestor } from '#verification/attestor.ts';

/**
 * Tries what the configuration names as a worker would at its start: keys and certificates are read and linted, trusts
 * parsed, policies compiled. A policy that cannot be judged is a warning: a worker runs, and its verdict is `error`.
 */
export async function tryConfig(config: Config, io: Pick<CommandIo, 'readFile' | 'env' | 'now'>): Promise<Finding[]> {
  const secrets = createSecretResolver({ env: io.env, readFileSync: (path) => readFileSync(path) });
  // Nothing is sent: connections are made at the first request.
  await using outbound = createOutbound(io);
  const trusts = new Map<string, Attestor>();
  const found: Finding[] = [];
  for (const [index, trust] of config.trusts.entries()) {
    const take = async () => {
      const { rules } = await createRevocation([trust], { ...io, outbound });
      await using sources = await createTrustSources([trust], { ...io, outbound, randomBytes });
      const loaded = await loadTrusts([trust], io.readFile, { revocation: rules, sources: sources.byTrust });
      for (const [id, attestor] of loaded) trusts.set(id, attestor);
    };
    found.push(...(await refusal(['trusts', index], take)));
  }
  await using keys = createKeys({ ...io, secrets, outbound });
  const files = { ...io, secrets, trusts, outbound, keys, randomBytes };
  const witnesses: WitnessOptions[] = [];
  for (const [index, witness] of config.witnesses.entries()) {
    const take = async () => {
      await loadSigners({ witnesses: [witness], signers: [] }, files);
      witnesses.push(witness);
    };
    found.push(...(await refusal(['witnesses', index], take)));
  }
  for (const [index, signer] of config.signers.entries()) {
    // What is wrong with a trust or a witness was said above.
    if (signer.type === 'keyless' && !trusts.has(signer.trust)) continue;
    const take = () =>
      loadSigners({ witnesses, signers: [signer] }, { ...files, keys: presumeRemote(signer, keys, io) });
    found.push(...(await refusal(['signers', index], take)));
  }
  for (const [index, policy] of config.policies.entries()) {
    found.push(...(await policyFindings(policy, ['policies', index], io)));
  }
  found.push(...(await policyReaderFindings(config, io.readFile)));
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
