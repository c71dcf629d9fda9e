import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeScratch, type Scratch } from './scratch.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const UNPACKED = join(ROOT, '.attestry', 'servers');
const MODULES = [
  'usr/lib/softhsm',
  'usr/lib/x86_64-linux-gnu/softhsm',
  'usr/lib/aarch64-linux-gnu/softhsm',
  'usr/local/lib/softhsm',
];

/** A token in software (SoftHSM), in a folder of its own. */
export interface TestToken extends AsyncDisposable {
  readonly modulePath: string;
  readonly label: string;
  readonly pin: string;
  readonly scratch: Scratch;
  /** Stores a key pair; `id` is hex. */
  importKey(keyPem: string, label: string, id: string): Promise<void>;
  /** Another token in the same place; answers nothing. */
  addToken(label: string): Promise<void>;
}

const SO_PIN = '87654321';

export async function makeToken(label = 'attestry-test', pin = '1234'): Promise<TestToken> {
  const modulePath = MODULES.flatMap((folder) => [join('/', folder), join(UNPACKED, folder)])
    .map((folder) => join(folder, 'libsofthsm2.so'))
    .find((path) => existsSync(path));
  if (modulePath === undefined) throw new Error('SoftHSM is not installed: node scripts/setup.mjs --for test');
  const util = existsSync('/usr/bin/softhsm2-util') ? '/usr/bin/softhsm2-util' : join(UNPACKED, 'bin', 'softhsm2-util');
  const scratch = await makeScratch();
  await scratch.write('tokens/.keep', '');
  const config = await scratch.write(
    'softhsm2.conf',
    `directories.tokendir = ${scratch.at('tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  // The process that holds the module takes it from the environment, as for a vendor's module.
  process.env.SOFTHSM2_CONF = config;
  const softhsm = async (...args: string[]): Promise<void> => void (await run(util, args));
  const addToken = (name: string) =>
    softhsm('--init-token', '--free', '--label', name, '--so-pin', SO_PIN, '--pin', pin);
  await addToken(label);
  return {
    modulePath,
    label,
    pin,
    scratch,
    addToken,
    importKey: async (keyPem, name, id) => {
      const file = await scratch.write(`${name}.pem`, keyPem);
      await softhsm('--import', file, '--token', label, '--label', name, '--id', id, '--pin', pin);
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}
