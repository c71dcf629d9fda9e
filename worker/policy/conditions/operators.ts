import { compares, comparesDurations } from '#policy/conditions/comparison.ts';
import { equals, notEquals } from '#policy/conditions/equals.ts';
import { isInList, isMember } from '#policy/conditions/membership.ts';

/** One operator of a condition: whether it is met by two resolved sides. */
export type Operator = (key: unknown, value: unknown) => boolean;

/**
 * The operators by the exact spelling that Kyverno's resource definition admits; every other spelling, `Equal` and
 * lower case too, is refused at admission (interop specification K.6).
 */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  Equals: equals,
  NotEquals: notEquals,
  In: (key, value) => isInList(key, value, false),
  NotIn: (key, value) => isInList(key, value, true),
  AnyIn: (key, value) => isMember(key, value, 'any-in'),
  AllIn: (key, value) => isMember(key, value, 'all-in'),
  AnyNotIn: (key, value) => isMember(key, value, 'any-not-in'),
  AllNotIn: (key, value) => isMember(key, value, 'all-not-in'),
  GreaterThan: (key, value) => compares(key, value, 'greater'),
  GreaterThanOrEquals: (key, value) => compares(key, value, 'greater-or-equal'),
  LessThan: (key, value) => compares(key, value, 'less'),
  LessThanOrEquals: (key, value) => compares(key, value, 'less-or-equal'),
  DurationGreaterThan: (key, value) => comparesDurations(key, value, 'greater'),
  DurationGreaterThanOrEquals: (key, value) => comparesDurations(key, value, 'greater-or-equal'),
  DurationLessThan: (key, value) => comparesDurations(key, value, 'less'),
  DurationLessThanOrEquals: (key, value) => comparesDurations(key, value, 'less-or-equal'),
};
