import { AppError } from '#model/errors.ts';

const MAX_DEPTH = 100;

/**
 * JSON text with members in order of their names, so that equal values are equal bytes. Refuses what readers of in-toto
 * statements disagree on (interop D.3): integers beyond 2^53, numbers that JSON lacks, and broken Unicode.
 * @throws AppError `usage` naming the place.
 */
export function canonicalJson(value: unknown, path = '$', depth = 0): string {
  if (depth > MAX_DEPTH) throw refused(path, `is nested more than ${MAX_DEPTH} levels deep`, 'flatten it');
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw refused(path, 'is not well-formed Unicode', 'replace lone surrogates');
      return JSON.stringify(value);
    case 'number':
      return number(value, path);
    case 'boolean':
      return String(value);
    case 'object':
      break;
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
      throw refused(path, `is a ${typeof value}, which JSON lacks`, 'write it as a string');
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) {
    return `[${value.map((item, place) => canonicalJson(item, `${path}[${place}]`, depth + 1)).join(',')}]`;
  }
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => {
      const inside = `${path}.${key}`;
      return `${canonicalJson(key, inside, depth + 1)}:${canonicalJson(member, inside, depth + 1)}`;
    });
  return `{${members.join(',')}}`;
}

function number(value: number, path: string): string {
  if (!Number.isFinite(value)) throw refused(path, 'is no finite number', 'leave it out');
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw refused(path, 'is an integer beyond 2^53, which readers would round', 'write it as a string');
  }
  return JSON.stringify(value);
}

function refused(path: string, what: string, mend: string): AppError {
  const place = path.slice(0, 200).toWellFormed();
  return new AppError('usage', `the statement cannot be written: ${place} ${what}`, { field: place, mend });
}
