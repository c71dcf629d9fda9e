import { failed } from '#policy/jmespath/failure.ts';
import { unsupported } from '#policy/unsupported.ts';

const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,18}))?(?:Z|([+-])(\d{2}):(\d{2}))$/;

/**
 * Nanoseconds since 1970 of a time as RFC 3339 writes it, which is all that Go's reader takes where Kyverno asks for it.
 * @throws ExpressionFailure for what is none; AppError `policy-unsupported` for writings that Go may take and we do not.
 */
export function goTime(text: string): bigint {
  const found = RFC_3339.exec(text);
  if (!found) {
    if (/^\d{4}-\d\d-\d\dT\d/.test(text)) throw unsupported('a time in an unusual form');
    throw failed('a time is not written as RFC 3339');
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map(Number);
  const [zoneHour, zoneMinute] = [Number(found[9] ?? 0), Number(found[10] ?? 0)];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isDate || hour > 23 || minute > 59 || second > 59 || zoneHour > 24 || zoneMinute > 60) {
    throw failed('there is no such time');
  }
  const offset = (found[8] === '-' ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  const seconds = date.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second;
  const fraction = (found[7] ?? '').slice(0, 9).padEnd(9, '0');
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction);
}
