import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CommandIo } from '#cli/command.ts';
import { presumeRemote } from '#cli/presumed-key.ts';
import { createKeys } from '#compose/keys.ts';
import { createOutbound } from '#compose/outbound.ts';
import { policyReaderFindings } from '#compose/policy-readers.ts';
import { policyRoot } from '#compose/policy-root.ts';
import { createRevocation } from '#compose/revocation.ts';
import { loadSigners } from '#compose/signers.ts';
import { createTrustSources } from '#compose/trust-sources.ts';
import { loadTrusts } from '#compose/trusts.ts';
import type { DraftedEntries } from '#config/check.ts';
import type { Finding, Path } from '#config/problem.ts';
import type { Config } from '#config/schema.ts';
import { createSecretResolver } from '#config/secrets.ts';
import { toAppError } from '#model/errors.ts';
import { compilePolicies, problems } from '#policy/load.ts';
import type { KeylessSignerOptions, WitnessOptions } from '#signing/options.ts';
import type { Attestor } from '#verification/attestor.ts';

/**
 * Tries what the entries name as a worker would at its start: keys and certificates are read and linted, trusts parsed,
 * policies compiled. A policy that cannot be judged is a warning: a worker runs, and its verdict is `error`. Each entry
 * is tried by itself, so that all that is wrong is found at once.
 */
export async function tryConfig(
  { entries, usable }: DraftedEntries,
  io: Pick<CommandIo, 'readFile' | 'env' | 'now'>,
): Promise<Finding[]> {
  const secrets = createSecretResolver({ env: io.env, readFileSync: (path) => readFileSync(path) });
  // Nothing is sent: connections are made at the first request.
  await using outbound = createOutbound(io);
  const trusts = new Map<string, Attestor>();
  const found: Finding[] = [];
  for (const { path, value: trust } of usable.trusts) {
    const take = async () => {
      const { rules } = await createRevocation([trust], { ...io, outbound, randomBytes });
      await using sources = await createTrustSources([trust], { ...io, outbound, randomBytes });
      const loaded = await loadTrusts([trust], io.readFile, { revocation: rules, sources: sources.byTrust });
      for (const [id, attestor] of loaded) trusts.set(id, attestor);
    };
    found.push(...(await refusal(path, take)));
  }
  await using keys = createKeys({ ...io, secrets, outbound });
  const files = { ...io, secrets, trusts, outbound, keys, randomBytes };
  const witnesses: WitnessOptions[] = [];
  for (const { path, value: witness } of usable.witnesses) {
    const take = async () => {
      await loadSigners({ witnesses: [witness], signers: [] }, files);
      witnesses.push(witness);
    };
    found.push(...(await refusal(path, take)));
  }
  for (const { path, value: signer } of usable.signers) {
    // What is wrong with a trust or a witness was said above: without it nobody knows whether the rest would do.
    if (signer.type === 'keyless' && !isWhole(signer, trusts, witnesses)) continue;
    const take = () =>
      loadSigners({ witnesses, signers: [signer] }, { ...files, keys: presumeRemote(signer, keys, io) });
    found.push(...(await refusal(path, take)));
  }
  for (const { path, value: policy } of usable.policies) {
    found.push(...(await policyFindings(policy, path, io)));
  }
  found.push(...(await policyReaderFindings({ ...entries, policies: usable.policies }, io.readFile)));
  return found;
}

function isWhole(
  signer: KeylessSignerOptions,
  trusts: ReadonlyMap<string, Attestor>,
  witnesses: readonly WitnessOptions[],
): boolean {
  return trusts.has(signer.trust) && signer.witnesses.every((id) => witnesses.some((witness) => witness.id === id));
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
  const { trustedRoot } = policy;
  if (trustedRoot !== undefined) {
    found.push(...(await refusal([...path, 'trustedRoot'], () => policyRoot(trustedRoot, io.readFile))));
  }
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
