import { corruptTar } from '#sbom/tar-header.ts';

/**
 * Records of a pax extended header: `length key=value\n`, the length counting itself (POSIX.1-2017, pax, "pax Header
 * Block"). A later record of the same key wins.
 * @throws AppError `layer-corrupt`
 */
export function parsePaxRecords(body: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const digits = space < 0 || space - at > 12 ? '' : body.toString('latin1', at, space);
    const length = /^[1-9][0-9]*$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    if (length === 0 || end > body.length || body[end - 1] !== 0x0a) throw corruptTar('a pax header is malformed');
    const equals = body.indexOf(0x3d, space + 1);
    if (equals < 0 || equals >= end) throw corruptTar('a pax record has no value');
    records.set(body.toString('utf8', space + 1, equals), body.toString('utf8', equals + 1, end - 1));
    at = end;
  }
  return records;
}

/** The `size` record. @throws AppError `layer-corrupt` when it is not a plain decimal number below 2^53. */
export function paxSize(text: string): number {
  const size = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw corruptTar('a pax size is not a number');
  return size;
}
