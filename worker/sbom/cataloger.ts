import type { Fact } from '#sbom/fact.ts';

/** What is known of a file before it is read. */
export interface CatalogedFile {
  /** Relative to the root, no leading slash. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
}

/**
 * Reads one kind of package evidence: one file a cataloger, listed in `catalogers/index.ts`. `parse` is pure, never
 * throws for bad content (it answers a gap) and sees one file of one layer; whiteouts, ownership and the choice between
 * layers are not its business.
 */
export interface Cataloger {
  readonly id: string;
  /** Raised with every change of its answers, so that remembered facts of older versions are not used. */
  readonly version: number;
  /** Bytes of the largest file it reads; larger ones are gaps. */
  readonly maxBytes: number;
  /** `name`: the path alone is the evidence, and `parse` gets no bytes. */
  readonly reads?: 'content' | 'name';
  wants(file: CatalogedFile): boolean;
  /**
   * The file that this wanted one only completes, such as the log beside a database. With this member, all wanted files
   * are held to the layer's end, and `parse` sees each whole: its content, and its companions of the same layer by path.
   */
  companionOf?(path: string): string | undefined;
  parse(
    path: string,
    bytes: Uint8Array,
    companions: ReadonlyMap<string, Uint8Array>,
  ): readonly Fact[] | Promise<readonly Fact[]>;
}
