import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { CommandIo } from '#cli/command.ts';
import { hooksCommand } from '#cli/commands/hooks.ts';
import { reportError } from '#cli/main.ts';
import { createProcessParts } from '#compose/process-parts.ts';
import { loadConfig } from '#config/load.ts';
import { type RunningProducer, startProducer } from '#producer/main.ts';
import { startRedis, type TestRedis } from './redis.ts';

/** A producer that runs with a real Redis, and the command line beside it. */
export interface HooksGround extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly producer: RunningProducer;
  /** `attestry hooks …` with the same configuration. */
  hooks(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** A delivery of a stranger or a sender. */
  post(source: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** @param sources YAML of registries, sources and whatever else but redis and the producer's address. */
export async function startHooksGround(sources: string, env: Readonly<Record<string, string>>): Promise<HooksGround> {
  await using stack = new AsyncDisposableStack();
  const redis = await startRedis();
  stack.defer(() => redis.stop());
  const text = `version: 1\nredis: { url: "${redis.url}" }\nlog: { level: silent }\n${sources}`;
  const files = { readFile: async () => Buffer.from(text), env };
  const config = await loadConfig('attestry.yaml', files, 'none');
  const parts = createProcessParts(
    { ...config, producer: { ...config.producer, listen: { host: '127.0.0.1', port: 0 } } },
    'producer',
    { ...files, readFileSync, now: () => new Date(), randomBytes: (count) => randomBytes(count) },
  );
  const producer = stack.use(await startProducer(parts));
  const owned = stack.move();
  return {
    redis,
    producer,
    hooks: async (...args) => {
      const said = { out: '', err: '' };
      const io: CommandIo = {
        stdout: (line) => {
          said.out += line;
        },
        stderr: (line) => {
          said.err += line;
        },
        readFile: files.readFile,
        env,
        now: () => new Date(),
        signal: new AbortController().signal,
        interactive: false,
      };
      const code = await hooksCommand(args, io).catch((error: unknown) => reportError(error, io));
      return { code, ...said };
    },
    post: (source, body, headers = {}) =>
      fetch(`${producer.url}/hooks/${source}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
