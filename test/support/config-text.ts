import { type CheckedConfig, checkConfig } from '#config/check.ts';
import type { OutsideScope } from '#config/outside.ts';

export const CONFIG_PATH = '/etc/attestry/attestry.yaml';

/** The least that does the whole job, as a text to vary. */
export const MINIMAL = `version: 1
registries:
  - id: main
    name: registry.example.com
signers:
  - { id: release, type: x509, key: env:KEY, certificate: signer.crt, chain: chain.crt }
policies:
  - { id: evidence, file: policy.yaml }
rules:
  - name: all
    evidence: [{ type: cyclonedx, signer: release }]
    policies: evidence
sources:
  - { id: hook, sender: distribution, registry: main, auth: { bearer: env:TOKEN } }
`;

/** Checks a text as if it were a file; other files and variables are those given. */
export function checkText(
  text: string,
  given: {
    readonly files?: Readonly<Record<string, string>>;
    readonly env?: Readonly<Record<string, string>>;
    readonly scope?: OutsideScope;
  } = {},
): Promise<CheckedConfig> {
  const files: Readonly<Record<string, string>> = { [CONFIG_PATH]: text, ...given.files };
  const readFile = async (path: string) => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error(`ENOENT ${path}`), { code: 'ENOENT' });
    return content;
  };
  return checkConfig(CONFIG_PATH, { readFile, env: given.env ?? {} }, given.scope ?? 'none');
}
