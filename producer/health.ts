import type { FastifyInstance } from 'fastify';
import { READY_TIMEOUT_MS } from '#producer/limits.ts';

/** One thing that must work before traffic may come. Resolves when it does, and stops at the signal. */
export interface HealthCheck {
  readonly name: string;
  readonly check: (signal: AbortSignal) => Promise<void>;
}

/**
 * `/livez`: the process answers; nothing outside it counts, or an outage of Redis would restart every producer.
 * `/readyz`: each check by name, 503 when one fails. Failures are told to logs, not to whoever asks.
 */
export function healthRoutes(
  app: FastifyInstance,
  checks: readonly HealthCheck[],
  onFailure: (name: string, error: unknown) => void,
): void {
  app.get('/livez', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(checks.map((check) => run(check, onFailure)));
    const ready = results.every(({ ok }) => ok);
    reply.code(ready ? 200 : 503);
    return { status: ready ? 'ok' : 'unavailable', checks: results };
  });
}

async function run(
  { name, check }: HealthCheck,
  onFailure: (name: string, error: unknown) => void,
): Promise<{ name: string; ok: boolean }> {
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
  // A check that ignores its signal must not hold the answer either.
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  try {
    await Promise.race([check(signal), late]);
    return { name, ok: true };
  } catch (error) {
    onFailure(name, error);
    return { name, ok: false };
  }
}
