import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { AppError } from '#model/errors.ts';

/** The names that distributions and upstream give a server, and the Debian package that brings it. */
export interface ServerProgram {
  readonly commands: readonly string[];
  readonly package: string;
}

/** Where Debian keeps servers, also from users whose PATH leaves these out. */
const SYSTEM_FOLDERS = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin'];

/**
 * The path of a server's program, looked for in `path` (the value of PATH) and where Debian keeps servers.
 * @throws AppError `server-missing`
 */
export async function findServer(program: ServerProgram, path: string): Promise<string> {
  for (const folder of [...path.split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS]) {
    for (const command of program.commands) {
      const candidate = join(folder, command);
      if (await isProgram(candidate)) return candidate;
    }
  }
  throw new AppError('server-missing', `${program.commands[0]} is not installed`, {
    mend: `on Debian and Ubuntu: sudo apt-get install -y --no-install-recommends ${program.package}`,
  });
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
