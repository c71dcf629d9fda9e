import type { EvidenceDefect } from '#model/evidence.ts';
import type { WitnessTrust } from '#verification/attestor.ts';
import { type BundleLogCheck, type LoggedContent, verifyBundleLogEntry } from '#verification/bundle-log.ts';
import type { BundleLogEntry } from '#verification/bundle-log-entry.ts';
import type { Presenting } from '#verification/presented.ts';
import type { Profile } from '#verification/statement.ts';
import { anyTimestamp } from '#verification/timestamps.ts';
import { bad, type WitnessCheck } from '#verification/witness.ts';

/**
 * The log entries of a bundle: enough distinct logs must vouch for the signature where the log is required, and none
 * that can be judged may be wrong (interop specification I.4, rows 92 and 93).
 * @param timestamps of authorities, over the same signature
 */
export function checkBundleLog(
  entries: readonly BundleLogEntry[],
  content: LoggedContent,
  trust: WitnessTrust & { readonly profile: Profile },
  timestamps: readonly WitnessCheck[],
): readonly WitnessCheck[] {
  const times = timestamps.flatMap((check) => (check.kind === 'verified' && check.time ? [check.time] : []));
  const { transparencyLog, logKeys, logThreshold = 1, profile } = trust;
  if (transparencyLog === 'ignored') return [];
  const twice = entries.some(({ logId, logIndex }, index) =>
    entries.slice(0, index).some((other) => other.logId === logId && other.logIndex === logIndex),
  );
  if (twice) return [bad('log-entry-invalid', 'The bundle brings the same log entry twice.')];
  const checks: BundleLogCheck[] = [];
  for (const entry of entries) {
    const check = verifyBundleLogEntry(entry, content, logKeys ?? [], profile, times);
    if (check.kind === 'invalid') return [notHeld(check.problem)];
    checks.push(check);
  }
  const verified = checks.filter((check) => check.kind === 'verified');
  const logs = new Set(verified.map(({ logId }) => logId)).size;
  if (transparencyLog === 'required' && logs < logThreshold) {
    if (entries.length > 0 && !logKeys) {
      return [{ kind: 'unsupported', what: "verifying a transparency log entry with the public instance's keys" }];
    }
    return [
      lacking(
        checks.flatMap((check) => (check.kind === 'passed-over' ? [check.problem] : [])),
        logThreshold,
      ),
    ];
  }
  return verified.map(({ time, claimed }) => ({
    kind: 'verified',
    source: 'log',
    ...(time ? { time } : {}),
    ...(claimed ? { claimed } : {}),
  }));
}

function lacking(problems: readonly string[], wanted: number): WitnessCheck {
  const [first] = problems;
  if (first !== undefined) return notHeld(first);
  const what =
    wanted > 1 ? `fewer than the ${wanted} transparency log entries that are required` : 'no transparency log entry';
  return bad('log-entry-missing', `The bundle has ${what}.`);
}

function notHeld(problem: string): WitnessCheck {
  return bad('log-entry-invalid', `The transparency log entry does not hold: ${problem}.`);
}

/**
 * The timestamps of a bundle, which are over the bytes of its signature. One that holds makes up for others that do not;
 * by the strict reading one must hold where there are any. sigstore-go looks at them only when it is asked for a time.
 */
export function checkBundleTimestamps(
  timestamps: readonly Buffer[],
  signature: Uint8Array,
  { attestor, now }: Presenting,
): readonly WitnessCheck[] {
  const { timestampAuthorities, profile } = attestor;
  if (!timestampAuthorities || timestamps.length === 0) return [];
  const verified: WitnessCheck[] = [];
  let first: EvidenceDefect | undefined;
  const seen = new Set<object>();
  for (const response of timestamps) {
    const check = anyTimestamp(response, [signature], timestampAuthorities, { now, profile });
    if (!check.ok) first ??= { code: 'timestamp-invalid', message: `The timestamp does not hold: ${check.problem}.` };
    // One authority is one witness, however often it stamped.
    else if (!seen.has(check.authority)) verified.push({ kind: 'verified', source: 'authority', time: check.time });
    if (check.ok) seen.add(check.authority);
  }
  if (verified.length === 0 && first && profile === 'strict') return [{ kind: 'defect', defect: first }];
  return verified;
}
