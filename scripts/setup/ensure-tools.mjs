import { existsSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { buildTool, requireGo } from './go-build.mjs';
import { GO_TOOLS, toolPath } from './go-tools.mjs';
import { withLock } from './lock.mjs';

/** A linker of these tools takes up to 3 GiB; two builds at once want room for both and for the tests' own servers. */
const ROOM_FOR_TWO = 8 * 1024 ** 3;

/**
 * Builds what is missing of the tools that the interop suite runs, and keeps it in the clone.
 * @throws SetupError when Go is missing or a build fails: a tool that is absent judges nothing.
 */
export async function ensureTools({ root, say, tools = GO_TOOLS }) {
  const missing = () => tools.filter(({ id }) => !existsSync(toolPath(root, id)));
  if (missing().length === 0) return;
  requireGo();
  await withLock(join(root, '.attestry', 'tools.lock'), say, async () => {
    const waiting = missing();
    const atOnce = freemem() >= ROOM_FOR_TWO ? 2 : 1;
    say(
      `building ${waiting.length} tools with Go, ${atOnce === 2 ? 'two at once' : 'one after another'}; a first time takes a quarter of an hour ...`,
    );
    const began = performance.now();
    let built = 0;
    const total = waiting.length;
    const take = async () => {
      for (let tool = waiting.shift(); tool !== undefined; tool = waiting.shift()) {
        const start = performance.now();
        await buildTool(root, tool).catch((error) => {
          // The other build ends before the failure is told, and none is begun.
          waiting.length = 0;
          throw error;
        });
        built += 1;
        say(`built ${tool.id} ${tool.version} in ${seconds(start)} s (${built} of ${total})`);
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: atOnce }, take));
    const failed = ends.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    say(`the tools are ready (${seconds(began)} s)`);
  });
}

function seconds(since) {
  return Math.round((performance.now() - since) / 1000);
}
