/** From when until when something is trusted, both ends included; an end that is absent is open. */
export interface TimeWindow {
  readonly start?: Date;
  readonly end?: Date;
}

/** True inside the window, and wherever there is none. */
export function isWithin(window: TimeWindow | undefined, time: Date): boolean {
  return (!window?.start || time >= window.start) && (!window?.end || time <= window.end);
}

/** The window in words, for messages. */
export function describeWindow({ start, end }: TimeWindow): string {
  return `from ${start?.toISOString() ?? 'ever'} until ${end?.toISOString() ?? 'further notice'}`;
}
