import { COMMANDS } from '#cli/catalogue.ts';
import { main } from '#cli/main.ts';
import { code, page, table } from './markdown.ts';

const INTRODUCTION = `\`npx attestry COMMAND\` in a clone, from any directory with \`npx --prefix CLONE attestry COMMAND\`. The first use installs
what it needs into the clone.

Standard output carries the result and nothing else; progress, warnings and errors go to standard error. \`--quiet\` silences
progress, \`NO_COLOR\` colours. \`attest\`, \`verify\`, \`sbom\`, \`certificate\` and \`hooks parse\` need neither Redis nor a
configuration, \`config\` needs no Redis. \`localhost\` and \`127.0.0.1\` are spoken to over http.`;

const EXIT_CODES = [
  ['0', 'done; checked, and good'],
  ['1', 'checked, and bad'],
  ['2', 'could not be done or checked'],
  ['64', 'wrong usage; nothing was tried'],
  ['130', 'stopped at once by a second Ctrl-C'],
];

const VARIABLES = [
  ['`ATTESTRY_CONFIG`', 'configuration file where `--config` is not given'],
  ['`ATTESTRY_TOKEN`', 'token of the API for `attest --server`'],
  ['`COSIGN_PASSWORD`', 'passphrase of an encrypted key'],
  ['`DOCKER_CONFIG`', "folder of Docker's `config.json`; else `~/.docker`"],
  ['`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`', 'proxies, in either case'],
  ['`NO_COLOR`', 'no colours and no rewritten lines'],
  ['`ATTESTRY_REDIS_URL`, `ATTESTRY_REGISTRY`', '`start`: servers that are there already'],
];

// Asked of the program itself: what --help prints is what the page says.
const HELP = await Promise.all(
  COMMANDS.map(async ({ name, summary }) => ({ name, summary, text: await helpOf(name) })),
);

/** docs/reference/cli.md */
export function cliPage(): string {
  const overview = HELP.map(({ name, summary }) => [`[${code(name)}](#${name})`, summary]);
  return page(
    'Command line',
    INTRODUCTION,
    table(['command', 'does'], overview),
    '## Exit codes',
    table(['code', 'meaning'], EXIT_CODES),
    '## Environment',
    table(['variable', 'meaning'], VARIABLES),
    ...HELP.map(({ name, text }) => `## ${name}\n\n\`\`\`text\n${text.trim()}\n\`\`\``),
  );
}

async function helpOf(command: string): Promise<string> {
  let said = '';
  await main([command, '--help'], {
    stdout: (text) => {
      said += text;
    },
    stderr: () => undefined,
    readFile: () => Promise.reject(new Error('--help reads no file')),
    env: {},
    now: () => new Date(0),
    signal: new AbortController().signal,
    interactive: false,
  });
  return said;
}
