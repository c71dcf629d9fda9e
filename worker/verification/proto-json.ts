import { decodeBase64 } from '#crypto/base64.ts';
import type { Profile } from '#verification/statement.ts';

/** What is wrong with a message, with the place in it. */
export class MessageProblem extends Error {
  override readonly name = 'MessageProblem';
}

export type Members = Readonly<Record<string, unknown>>;

/**
 * A message in the JSON form of protobuf, read field by field. `compat` takes what Go's reader takes: names as the
 * schema spells them, both alphabets of base64, padding left out. `strict` takes the canonical writing alone. Neither
 * takes a field that the schema does not know.
 */
export interface MessageReader {
  /** The members of an object; absent ones and nulls are left out. */
  object(value: unknown, path: string, fields: readonly string[]): Members;
  bytes(value: unknown, path: string): Buffer;
  text(value: unknown, path: string): string;
  /** A whole number from zero, at most 63 bits. */
  integer(value: unknown, path: string): bigint;
  list(value: unknown, path: string, most: number): readonly unknown[];
}

const MAX_INTEGER = 2n ** 63n - 1n;

/** A reader that throws `MessageProblem` at the first thing that is not as it should be. */
export function messageReader(profile: Profile): MessageReader {
  return {
    object(value, path, fields) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, 'is not an object');
      const members: Record<string, unknown> = {};
      for (const [name, member] of Object.entries(value)) {
        const field = fields.find((each) => each === name || (profile === 'compat' && snakeCase(each) === name));
        if (field === undefined)
          throw wrong(path, `has a member ${JSON.stringify(name.slice(0, 80))} that is not known`);
        if (field in members) throw wrong(`${path}.${field}`, 'is there in two spellings');
        if (member !== null) members[field] = member;
      }
      return members;
    },
    bytes(value, path) {
      const decoded = typeof value === 'string' ? decodeBase64(value) : undefined;
      if (!decoded || decoded.lineEnds) throw wrong(path, 'is not base64');
      // Bits behind the last byte belong to nothing, and a reader may take them or not.
      if (profile === 'strict' && decoded.bytes.toString('base64') !== value) {
        throw wrong(path, 'is not in standard, padded base64');
      }
      return decoded.bytes;
    },
    text(value, path) {
      if (typeof value !== 'string') throw wrong(path, 'is not a text');
      return value;
    },
    integer(value, path) {
      const isWritten = typeof value === 'string' ? /^\d{1,19}$/.test(value) : Number.isSafeInteger(value);
      const number = isWritten ? BigInt(value as string | number) : -1n;
      if (number < 0n || number > MAX_INTEGER) throw wrong(path, 'is not a whole number from zero');
      return number;
    },
    list(value, path, most) {
      if (value === undefined) return [];
      if (!Array.isArray(value)) throw wrong(path, 'is not a list');
      if (value.length > most) throw wrong(path, `has more than ${most} elements`);
      return value;
    },
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function wrong(path: string, what: string): MessageProblem {
  return new MessageProblem(`${path} ${what}`);
}
