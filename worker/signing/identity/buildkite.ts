import { type ExecFileException, execFile } from 'node:child_process';
import { AppError } from '#model/errors.ts';
import { Secret } from '#model/secret.ts';
import type { IdentityProvider } from '#signing/identity/provider.ts';

export interface BuildkiteOptions {
  readonly audience: string;
  /** The agent's program; its name is looked for on the PATH. */
  readonly agent?: string;
  readonly timeoutMs: number;
}

const MAX_OUTPUT_BYTES = 64 * 1024;

/** The identity of a Buildkite job, asked of its agent. Its output is never quoted: it holds the token. */
export function buildkiteProvider({
  audience,
  agent = 'buildkite-agent',
  timeoutMs,
}: BuildkiteOptions): IdentityProvider {
  const source = 'the Buildkite agent';
  return {
    source,
    token: (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Secret>();
      execFile(
        agent,
        ['oidc', 'request-token', '--audience', audience],
        {
          timeout: timeoutMs,
          killSignal: 'SIGKILL',
          maxBuffer: MAX_OUTPUT_BYTES,
          ...(signal === undefined ? {} : { signal }),
        },
        (error, stdout) => {
          const text = stdout.trim();
          if (error) reject(agentError(agent, error, timeoutMs));
          else if (text === '') reject(new AppError('identity-token-unavailable', `${source} gave no token`));
          else resolve(new Secret(text, source));
        },
      );
      return promise;
    },
  };
}

function agentError(agent: string, error: ExecFileException, timeoutMs: number): AppError {
  if (error.name === 'AbortError') return new AppError('canceled', `${agent}: the request was canceled`);
  if (error.code === 'ENOENT') {
    return new AppError('identity-token-unavailable', `${agent} is not installed`, {
      mend: 'run inside a Buildkite job, with the agent on the PATH',
    });
  }
  // The error of execFile quotes the command's output; only its code is told.
  const why = error.killed ? `gave no answer within ${timeoutMs / 1000} s` : `failed (${error.code})`;
  return new AppError('identity-token-unavailable', `${agent} oidc request-token ${why}`, {
    mend: 'see what the command says in that job',
  });
}
