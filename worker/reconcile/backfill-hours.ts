import type { BackfillHours } from '#model/backfill.ts';
import { AppError } from '#model/errors.ts';

const HOUR_MS = 3_600_000;

/**
 * Reads `22-6` in a time zone.
 * @throws AppError `usage`
 */
export function parseHours(text: string, zone: string): BackfillHours {
  const [, from, to] = /^([0-9]{1,2})-([0-9]{1,2})$/.exec(text) ?? [];
  const hours = { from: Number(from), to: Number(to), zone };
  if (from === undefined || hours.from > 23 || hours.to > 24 || hours.from === hours.to) {
    throw new AppError('usage', `"${text.slice(0, 40)}" are no hours of the day`, {
      field: '--hours',
      mend: 'write the first and the last, as 22-6 for ten in the evening to six in the morning',
    });
  }
  if (!isZone(zone)) {
    throw new AppError('usage', `"${zone.slice(0, 60)}" is no time zone`, {
      field: '--timezone',
      mend: 'write an IANA name, as Europe/Berlin or UTC',
    });
  }
  return hours;
}

/** How many milliseconds until it may run; 0: now. Looked at hour by hour, so that changes of the clock are kept to. */
export function untilHours(hours: BackfillHours | undefined, now: Date): number {
  if (hours === undefined || within(hours, now)) return 0;
  const intoHour = now.getTime() % HOUR_MS;
  for (let ahead = 1; ahead <= 48; ahead++) {
    // Zones differ by quarters of an hour, which a look each quarter finds.
    for (const quarter of [0, 1, 2, 3]) {
      const at = now.getTime() - intoHour + (ahead - 1) * HOUR_MS + (quarter * HOUR_MS) / 4;
      if (at > now.getTime() && within(hours, new Date(at))) return at - now.getTime();
    }
  }
  return HOUR_MS;
}

/** Share of the day, 0 to 1. */
export function shareOfDay(hours: BackfillHours | undefined): number {
  if (hours === undefined) return 1;
  return ((hours.to - hours.from + 24) % 24 || 24) / 24;
}

function within({ from, to, zone }: BackfillHours, at: Date): boolean {
  const text = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' }).format(at);
  const hour = Number(text);
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
