import assert from 'node:assert/strict';
import type { Digest } from '#model/digest.ts';
import { type CliResult, runCli } from './cli.ts';

export interface ReportedAttestation {
  readonly type: string;
  readonly predicateType: string;
  readonly subject: Digest;
  readonly location: string;
  readonly digest: Digest;
  readonly state: string;
}

export interface AttestReport {
  readonly image: string;
  readonly digest: Digest;
  readonly attestations: readonly ReportedAttestation[];
}

/** `attestry attest … --json`, which must succeed. */
export async function attest(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<AttestReport> {
  const result = await runCli(['attest', ...args, '--json'], { env });
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout);
}

export interface ReportedVerdict {
  readonly policy: { readonly name: string; readonly kind: string; readonly uri: string; readonly digest: string };
  readonly emulates: string;
  readonly outcome: string;
  readonly reasons: readonly {
    readonly code: string;
    readonly message: string;
    readonly clause?: string;
    readonly next?: string;
    readonly evidence?: string;
  }[];
}

export interface VerifyReport {
  readonly image: string;
  readonly digest: Digest | null;
  readonly verdicts: readonly ReportedVerdict[];
}

/** `attestry verify … --json`, with its exit code; whatever the outcome, stdout is the report and nothing else. */
export async function verify(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<VerifyReport & Pick<CliResult, 'code' | 'stderr'>> {
  const { code, stdout, stderr } = await runCli(['verify', ...args, '--json'], { env });
  assert.ok(stdout.startsWith('{'), `exit ${code}, ${stdout}${stderr}`);
  return { ...JSON.parse(stdout), code, stderr };
}

/** Outcome and sorted reason codes of each verdict, in a line each. */
export function gist({ verdicts }: Pick<VerifyReport, 'verdicts'>): readonly string[] {
  return verdicts.map(
    ({ outcome, reasons }) => `${outcome}: ${[...new Set(reasons.map(({ code }) => code))].sort().join(' ')}`,
  );
}
