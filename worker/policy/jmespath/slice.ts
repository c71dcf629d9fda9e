import { failed } from '#policy/jmespath/failure.ts';

export interface SliceBounds {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
}

/** `[start:stop:step]` of a list (JMESPath specification, Slices). */
export function sliceOf(list: readonly unknown[], bounds: SliceBounds): readonly unknown[] {
  const step = bounds.step ?? 1;
  if (step === 0) throw failed('a slice has the step 0');
  const start = bounds.start === null ? (step < 0 ? list.length - 1 : 0) : cap(list.length, bounds.start, step);
  const stop = bounds.stop === null ? (step < 0 ? -1 : list.length) : cap(list.length, bounds.stop, step);
  const result: unknown[] = [];
  for (let at = start; step > 0 ? at < stop : at > stop; at += step) result.push(list[at]);
  return result;
}

function cap(length: number, bound: number, step: number): number {
  const at = bound < 0 ? bound + length : bound;
  if (at < 0) return step < 0 ? -1 : 0;
  if (at >= length) return step < 0 ? length - 1 : length;
  return at;
}
