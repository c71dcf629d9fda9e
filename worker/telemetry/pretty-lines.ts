import type { DestinationStream } from 'pino';

const COLORS: Readonly<Record<string, string>> = {
  fatal: '\u001b[31m',
  error: '\u001b[31m',
  warn: '\u001b[33m',
  info: '\u001b[32m',
  debug: '\u001b[34m',
  trace: '\u001b[90m',
};
const RESET = '\u001b[0m';
/** Members that have a place of their own in the line. */
const PLACED = new Set(['level', 'time', 'msg', 'name']);

/** Turns each JSON line into one for people: time, level, message, then the rest as `key=value`. */
export function prettyLines(destination: DestinationStream, color: boolean): DestinationStream {
  return {
    write(line) {
      destination.write(pretty(line, color));
    },
  };
}

function pretty(line: string, color: boolean): string {
  const record = parse(line);
  if (!record) return line;
  const level = String(record.level ?? 'info');
  const shown = level.toUpperCase().padEnd(5);
  const time = String(record.time ?? '').slice(11, 23);
  const rest = Object.entries(record).flatMap(([key, value]) => (PLACED.has(key) ? [] : [`${key}=${textOf(value)}`]));
  const head = color ? `${COLORS[level] ?? ''}${shown}${RESET}` : shown;
  return `${[time, head, printable(String(record.msg ?? '')), ...rest].join(' ')}\n`;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return printable(text ?? '');
}

/** Names come from senders: a terminal must not obey them. */
function printable(text: string): string {
  return [...text].map((char) => (isControl(char) ? '\ufffd' : char)).join('');
}

function isControl(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}
