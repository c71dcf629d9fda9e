import { describeWindow, isWithin } from '#crypto/time-window.ts';
import type { TimestampAuthority } from '#crypto/timestamp-authority.ts';
import { verifyTimestamp } from '#crypto/verify-timestamp.ts';
import type { Profile } from '#verification/statement.ts';

export type TimestampFinding =
  | { readonly ok: true; readonly time: Date; readonly authority: TimestampAuthority }
  | { readonly ok: false; readonly problem: string };

/** Milliseconds that clocks may differ: an authority's may run before ours. */
const MAX_SKEW_MS = 5 * 60_000;

/** Whether any of the authorities stamped any of the byte strings, inside its window. */
export function anyTimestamp(
  response: Uint8Array,
  stamped: readonly Uint8Array[],
  authorities: readonly TimestampAuthority[],
  { now, profile }: { readonly now: Date; readonly profile: Profile },
): TimestampFinding {
  let problem = 'no timestamp authority is trusted';
  for (const [index, authority] of authorities.entries()) {
    for (const bytes of stamped) {
      const check = verifyTimestamp(response, bytes, authority, now, profile);
      const outside = check.ok ? timeProblem(check.time, authority, now, profile) : check.problem;
      if (check.ok && outside === undefined) return { ok: true, time: check.time, authority };
      if (index === 0) problem = outside ?? problem;
    }
  }
  return { ok: false, problem };
}

function timeProblem(time: Date, { validFor }: TimestampAuthority, now: Date, profile: Profile): string | undefined {
  if (validFor && !isWithin(validFor, time)) {
    return `its authority is not trusted at ${time.toISOString()}, only ${describeWindow(validFor)}`;
  }
  if (profile === 'strict' && time.getTime() > now.getTime() + MAX_SKEW_MS) {
    return `it says that it was made at ${time.toISOString()}, which is yet to come`;
  }
  return undefined;
}
