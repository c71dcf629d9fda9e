import { join } from 'node:path';

/**
 * The programs of others that judge our evidence, that write what we must read, and that make up a private Sigstore.
 * `module` is installed by `go install`; `folder` (of scripts/tools) is a module of its own that is built, where upstream's
 * go.mod has replacements, which `go install` refuses, or where the program is ours. `made` is what Go calls the binary;
 * `patched` applies the folder's patches.json.
 */
export const GO_TOOLS = [
  { id: 'kyverno', version: '1.19.1', folder: 'kyverno', target: 'github.com/kyverno/kyverno/cmd/cli/kubectl-kyverno' },
  { id: 'cosign3', version: '3.1.3', module: 'github.com/sigstore/cosign/v3/cmd/cosign', made: 'cosign' },
  {
    id: 'policy-tester',
    version: '0.13.1',
    folder: 'policy-controller',
    target: 'github.com/sigstore/policy-controller/cmd/tester',
  },
  { id: 'rekor-server', version: '1.5.4', module: 'github.com/sigstore/rekor/cmd/rekor-server' },
  { id: 'vault', version: '1.21.4', folder: 'vault', target: '.', patched: true },
  { id: 'cosign2', version: '2.6.5', module: 'github.com/sigstore/cosign/v2/cmd/cosign', made: 'cosign' },
  {
    id: 'trillian_log_server',
    version: '1.8.0',
    module: 'github.com/google/trillian/cmd/trillian_log_server',
    // The tables that its storage needs come with the source alone.
    keep: { module: 'github.com/google/trillian', path: 'storage/postgresql/schema/storage.sql' },
  },
  { id: 'trillian_log_signer', version: '1.8.0', module: 'github.com/google/trillian/cmd/trillian_log_signer' },
  { id: 'createtree', version: '1.8.0', module: 'github.com/google/trillian/cmd/createtree' },
  {
    id: 'ct_server',
    version: '1.4.0',
    module: 'github.com/google/certificate-transparency-go/trillian/ctfe/ct_server',
  },
  {
    id: 'distribution3',
    version: '3.1.2',
    module: 'github.com/distribution/distribution/v3/cmd/registry',
    made: 'registry',
  },
  {
    id: 'rekor-tiles',
    version: '2.3.0',
    module: 'github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix',
    made: 'posix',
  },
  { id: 'fulcio', version: '1.8.8', module: 'github.com/sigstore/fulcio' },
  {
    id: 'timestamp-server',
    version: '2.1.3',
    module: 'github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server',
  },
  { id: 'oras', version: '1.3.6', module: 'oras.land/oras/cmd/oras' },
  { id: 'referrers-registry', version: '0.22.1', folder: 'referrers-registry', target: '.' },
  { id: 'crane', version: '0.22.1', module: 'github.com/google/go-containerregistry/cmd/crane' },
];

/** The tools whose versions a verdict of the matrix may depend on: all but those that only hold keys. */
export const MATRIX_TOOLS = GO_TOOLS.filter(({ id }) => id !== 'vault');

/** The folder of one version of a tool: its binary, named by its id, and what else it needs. */
export function toolFolder(root, { id, version }) {
  return join(root, '.attestry', 'tools', `${id}-${version}`);
}

export function toolOf(id) {
  const tool = GO_TOOLS.find((candidate) => candidate.id === id);
  if (tool === undefined) throw new Error(`no tool is called ${id}`);
  return tool;
}

/** Where the binary of this id is, once it is built. */
export function toolPath(root, id) {
  return join(toolFolder(root, toolOf(id)), id);
}
