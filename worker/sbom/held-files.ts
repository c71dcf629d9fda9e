import { AppError } from '#model/errors.ts';
import type { Cataloger } from '#sbom/cataloger.ts';

export interface WholeFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly companions: ReadonlyMap<string, Uint8Array>;
  readonly cataloger: Cataloger;
}

/** Files that wait until the end of their layer, because they are read together with others of it. */
export interface HeldFiles {
  /** @throws AppError `layer-bomb` beyond the bound in bytes. */
  add(path: string, bytes: Uint8Array, cataloger: Cataloger): void;
  delete(path: string): void;
  /** Each file that is evidence by itself, with its companions. */
  whole(): WholeFile[];
}

export function createHeldFiles(maxBytes: number): HeldFiles {
  const files = new Map<string, { readonly bytes: Uint8Array; readonly cataloger: Cataloger }>();
  let total = 0;

  function add(path: string, bytes: Uint8Array, cataloger: Cataloger): void {
    total += bytes.length;
    if (total > maxBytes) {
      throw new AppError('layer-bomb', `the layer holds more than ${maxBytes} bytes of package databases`);
    }
    files.set(path, { bytes, cataloger });
  }

  function whole(): WholeFile[] {
    return [...files].flatMap(([path, { bytes, cataloger }]) => {
      if (cataloger.companionOf?.(path) !== undefined) return [];
      const beside = [...files].filter(([other]) => cataloger.companionOf?.(other) === path);
      return [{ path, bytes, cataloger, companions: new Map(beside.map(([other, held]) => [other, held.bytes])) }];
    });
  }

  return { add, delete: (path) => void files.delete(path), whole };
}
