import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { COMMANDS } from '#cli/catalogue.ts';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { AppError } from '#model/errors.ts';
import { TOOL_NAME, TOOL_VERSION } from '#model/tool.ts';

/** Runs the command that the arguments name; answers the exit code. */
export async function main(argv: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...args] = argv;
  if (name === undefined) {
    io.stderr(help());
    return EXIT.usage;
  }
  if (name === 'help' && args[0] !== undefined) return main([args[0], '--help'], io);
  if (name === 'help' || name === '--help' || name === '-h') {
    io.stdout(help());
    return EXIT.ok;
  }
  if (name === '--version' || name === 'version') {
    io.stdout(`${TOOL_NAME} ${TOOL_VERSION}\n`);
    return EXIT.ok;
  }
  const command = COMMANDS.find((entry) => entry.name === name);
  if (!command) {
    io.stderr(`${TOOL_NAME}: there is no command "${name}"\n\n${help()}`);
    return EXIT.usage;
  }
  try {
    const run = await command.load();
    return await run(args, io);
  } catch (error) {
    if (!io.signal.aborted) return reportError(error, io);
    io.stderr(`${TOOL_NAME}: stopped before the end\n`);
    return EXIT.error;
  }
}

/** Prints what went wrong and what to do about it; never a stack for an error that we foresaw. */
export function reportError(error: unknown, io: Pick<CommandIo, 'stderr'>): number {
  if (!(error instanceof AppError)) {
    io.stderr(`${TOOL_NAME}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT.error;
  }
  const field = error.field ? `${error.field}: ` : '';
  io.stderr(`${TOOL_NAME}: ${field}${error.message}\n`);
  if (error.mend) io.stderr(`  ${error.mend}\n`);
  return error.code === 'usage' || error.code === 'reference-invalid' ? EXIT.usage : EXIT.error;
}

function help(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: ${TOOL_NAME} COMMAND [OPTIONS]

Signed evidence for every image pushed to a registry, and notice when it lapses.

${lines.join('\n')}

Run "${TOOL_NAME} COMMAND --help" for its options.
`;
}

function processIo(signal: AbortSignal): CommandIo {
  return {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    readFile: (path) => readFile(path),
    env: process.env,
    now: () => new Date(),
    signal,
    interactive: process.stderr.isTTY === true && process.env.NO_COLOR === undefined,
  };
}

/** Launchers and process managers pass on a signal that the whole process group got already: both are one. */
const SAME_SIGNAL_MS = 500;

/** Runs the command line of this process: what the launcher in bin/ calls. */
export async function runProcess(): Promise<void> {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => {
      controller.abort();
      const first = performance.now();
      // The second signal means it.
      process.on(name, () => {
        if (performance.now() - first > SAME_SIGNAL_MS) process.exit(130);
      });
    });
  }
  // A reader that has seen enough (`| head`) is no failure: what has nobody to read it is not written, and a program
  // that would run for ever ends.
  process.stdout.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
    controller.abort();
  });
  process.stderr.on('error', (error) => {
    if (!isClosedPipe(error)) throw error;
  });
  process.exitCode = await main(process.argv.slice(2), processIo(controller.signal));
}

function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}

if (import.meta.main) await runProcess();
