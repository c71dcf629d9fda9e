/** What a command may touch of the process; entry points fill it, tests hand in their own. */
export interface CommandIo {
  /** Results only. */
  stdout(text: string): void;
  /** Progress, warnings and errors. */
  stderr(text: string): void;
  readFile(path: string): Promise<Buffer>;
  readonly env: Readonly<Record<string, string | undefined>>;
  now(): Date;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether stderr is a terminal that takes colour and rewritten lines. */
  readonly interactive: boolean;
}

/** Exit codes, the same for every command. */
export const EXIT = {
  ok: 0,
  /** Checked, and bad. */
  fail: 1,
  /** Could not be done or checked. */
  error: 2,
  /** sysexits.h EX_USAGE. */
  usage: 64,
} as const;

export type CommandRun = (args: readonly string[], io: CommandIo) => Promise<number>;

export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Loaded when the command runs: a `verify` must not pay for the worker. */
  load(): Promise<CommandRun>;
}
