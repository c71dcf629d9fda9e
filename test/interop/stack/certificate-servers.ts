import { stringify } from 'yaml';
import { toolPath } from '../../../scripts/setup/go-tools.mjs';
import { CLONE } from '../../support/cli.ts';
import type { Scratch } from '../../support/scratch.ts';
import { ENDPOINTS, LOG_NAME, PORTS } from './endpoints.ts';
import type { IdentityIssuer } from './identity-issuer.ts';
import { answers, type Server, startServer } from './server.ts';
import { CT_PASSWORD, type StackKeys } from './stack-keys.ts';

/** The log of certificates: it takes those that chain to the root of Fulcio. */
export async function startCtLog(scratch: Scratch, keys: StackKeys, tree: string): Promise<Server> {
  const config = await scratch.write(
    'ct-log.cfg',
    `config {
  log_id: ${tree}
  prefix: "ct"
  roots_pem_file: "${keys.fulcio.rootFile}"
  ext_key_usages: "CodeSigning"
  max_merge_delay_sec: 86400
  expected_merge_delay_sec: 120
  private_key { [type.googleapis.com/keyspb.PEMKeyFile] { path: "${keys.ctLog.key}" password: "${CT_PASSWORD}" } }
}
`,
  );
  return startServer({
    name: 'ct_server',
    command: toolPath(CLONE, 'ct_server'),
    args: [
      `--http_endpoint=${LOG_NAME}:${PORTS.ctLog}`,
      `--log_rpc_server=${LOG_NAME}:${PORTS.trillianLog}`,
      `--log_config=${config}`,
      '--logtostderr',
    ],
    ready: () => answers(`http://${LOG_NAME}:${PORTS.ctLog}/healthz`, 'ok'),
  });
}

/** Issues certificates for ten minutes to whoever shows a token of our issuer. */
export async function startFulcio(scratch: Scratch, keys: StackKeys, issuer: IdentityIssuer): Promise<Server> {
  const config = await scratch.write('fulcio.yaml', stringify(fulcioConfig(issuer)));
  return startServer({
    name: 'fulcio',
    command: toolPath(CLONE, 'fulcio'),
    args: [
      'serve',
      ...[`--host=${LOG_NAME}`, `--port=${PORTS.fulcio}`, `--grpc-host=${LOG_NAME}`, `--grpc-port=${PORTS.fulcioGrpc}`],
      ...[`--metrics-port=${PORTS.fulcioMetrics}`, `--legacy-unix-domain-socket=${scratch.at('fulcio.sock')}`],
      ...[`--config-path=${config}`, '--ca=fileca', `--fileca-cert=${keys.fulcio.chain}`],
      // The password must be given even where there is none.
      ...[`--fileca-key=${keys.fulcio.key}`, '--fileca-key-passwd=', '--fileca-watch=false'],
      ...[`--ct-log-url=${ENDPOINTS.ctLog}`, `--ct-log-public-key-path=${keys.ctLog.publicKey}`],
    ],
    ready: () => answers(`${ENDPOINTS.fulcio}/api/v2/trustBundle`, 'BEGIN'),
  });
}

function fulcioConfig(issuer: IdentityIssuer): unknown {
  const kinds = [
    { name: 'email', type: 'email' },
    { name: 'kubernetes', type: 'kubernetes' },
    { name: 'github', type: 'ci-provider', 'ci-provider': 'stack-ci' },
  ] as const;
  const issuers = kinds.map(({ name, ...kind }) => {
    const url = issuer.url(name);
    return [url, { 'issuer-url': url, 'client-id': 'sigstore', ...kind }];
  });
  return {
    'oidc-issuers': Object.fromEntries(issuers),
    'ci-issuer-metadata': {
      'stack-ci': {
        'default-template-values': { url: 'https://github.com' },
        'extension-templates': {
          'build-signer-uri': '{{ .url }}/{{ .job_workflow_ref }}',
          'build-signer-digest': 'job_workflow_sha',
          'runner-environment': 'runner_environment',
          'source-repository-uri': '{{ .url }}/{{ .repository }}',
          'source-repository-digest': 'sha',
          'source-repository-ref': 'ref',
          'build-trigger': 'event_name',
        },
        'subject-alternative-name-template': '{{ .url }}/{{ .job_workflow_ref }}',
      },
    },
  };
}
