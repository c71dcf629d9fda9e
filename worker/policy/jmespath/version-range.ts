import { compareVersions, parseVersion, type Version } from '#policy/conditions/semver.ts';
import { unsupported } from '#policy/unsupported.ts';

const COMPARATOR = /^(>=|<=|>|<|==|=|!=|!)?(.+)$/;
const ZERO: Version = { numbers: [0n, 0n, 0n], prerelease: [] };

/**
 * `semver_compare`: whether a version fits a range such as `>=1.2.0 <2.0.0 || 3.0.0`: blanks join, `||` separates. A
 * text that is no version counts as 0.0.0, as in Kyverno. Ranges with wildcards are not supported.
 */
export function versionInRange(text: string, range: string): boolean {
  const version = parseVersion(text) ?? ZERO;
  const alternatives = range.split('||').map((alternative) => alternative.split(/\s+/).filter(Boolean));
  if (alternatives.some((comparators) => comparators.length === 0)) throw unsupported(`the version range "${range}"`);
  // Every comparator is read, so that a range is never half understood.
  return alternatives
    .map((comparators) => comparators.map((each) => fits(version, each, range)).every(Boolean))
    .some(Boolean);
}

function fits(version: Version, comparator: string, range: string): boolean {
  const [, operator = '=', text = ''] = COMPARATOR.exec(comparator) ?? [];
  const bound = parseVersion(text);
  if (!bound) throw unsupported(`the version range "${range.slice(0, 80)}"`, 'write whole versions: >=1.2.0');
  const order = compareVersions(version, bound);
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '!=':
    case '!':
      return order !== 0;
    default:
      return order === 0;
  }
}
