import type { ProcessParts } from '#compose/process-parts.ts';
import { type RunningWorker, startWorker } from '#compose/worker.ts';
import { type RunningProducer, startProducer } from '#producer/main.ts';

export interface Serving extends AsyncDisposable {
  readonly producer: RunningProducer;
  readonly worker: RunningWorker;
}

/**
 * Producer and worker in one process, which counts once: both addresses tell all of it. The producer ends first, so that
 * nothing is taken in that nobody works on.
 */
export async function startServe(parts: ProcessParts): Promise<Serving> {
  const stack = new AsyncDisposableStack();
  try {
    const worker = stack.use(await startWorker(parts));
    const producer = stack.use(await startProducer(parts, worker));
    return { producer, worker, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
