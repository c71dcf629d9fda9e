import { type DestinationStream, type Logger, pino } from 'pino';
import { AppError } from '#model/errors.ts';
import { prettyLines } from '#telemetry/pretty-lines.ts';
import { REDACTED_PATHS, redactText } from '#telemetry/redact.ts';

export type { Logger };

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** `json` is one object a line, for machines; `pretty` is for people at a terminal. */
  readonly format: 'json' | 'pretty';
  /** Colours, in `pretty` only. */
  readonly color?: boolean;
  /** Which process: `producer`, `worker`. */
  readonly name: string;
  /** Where lines go; standard error when absent, for standard output carries results. */
  readonly destination?: DestinationStream;
}

export function createLogger(options: LogOptions): Logger {
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true });
  return pino(
    {
      name: options.name,
      level: options.level,
      redact: { paths: [...REDACTED_PATHS], censor: '[redacted]' },
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
      hooks: {
        // The message of a bare error becomes the line's text, past every serializer.
        logMethod(args, method) {
          const [first, ...rest] = args.map((arg: unknown) => (typeof arg === 'string' ? redactText(arg) : arg));
          const bare: unknown = first;
          const safe = bare instanceof Error ? [{ err: bare }, redactText(bare.message), ...rest] : [first, ...rest];
          method.apply(this, safe as typeof args);
        },
      },
    },
    options.format === 'pretty' ? prettyLines(destination, options.color ?? false) : destination,
  );
}

interface LoggedError {
  readonly message: string;
  readonly [member: string]: unknown;
}

const MAX_CAUSES = 3;

/**
 * An error without what libraries hang on it (requests, commands with their arguments): message, code, mend, causes. A
 * stack only where it is a defect of ours.
 */
export function serializeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { message: redactText(String(error)) };
  const cause =
    error.cause === undefined || depth >= MAX_CAUSES ? {} : { cause: serializeError(error.cause, depth + 1) };
  if (error instanceof AppError) {
    return {
      code: error.code,
      message: redactText(error.message),
      ...(error.field === undefined ? {} : { field: error.field }),
      ...(error.mend === undefined ? {} : { mend: error.mend }),
      ...(error.code === 'internal' ? { stack: redactText(error.stack ?? '') } : {}),
      ...cause,
    };
  }
  return {
    type: error.name,
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    message: redactText(error.message),
    ...(depth === 0 ? { stack: redactText(error.stack ?? '') } : {}),
    ...cause,
  };
}
