import type { Dispatch } from '#compose/dispatch.ts';
import type { LiveInstallation } from '#compose/live-installation.ts';
import { createSignerRenewal } from '#compose/signer-renewal.ts';
import type { SigningIdentity } from '#engine/engine-ports.ts';
import { certificateRenewed } from '#events/watch-events.ts';
import type { SecretResolver } from '#model/secret.ts';
import { keyWarning } from '#signing/keys/key-kinds.ts';
import type { SignerOptions } from '#signing/options.ts';
import type { Logger } from '#telemetry/log.ts';
import type { Metrics } from '#telemetry/metrics.ts';

export interface CertificateWatchParts {
  readonly signers: readonly SignerOptions[];
  readonly live: LiveInstallation;
  readonly secrets: SecretResolver;
  readFile(path: string): Promise<Buffer>;
  reload(id: string): Promise<SigningIdentity>;
  readonly dispatch: Dispatch;
  readonly metrics: Metrics;
  readonly log: Logger;
  context(): { readonly source: string; readonly now: Date };
}

/** How often the files of certificates are looked at, milliseconds: a few small reads. */
export const RENEWAL_EVERY_MS = 60_000;

/** Takes over renewed certificates in this process, and tells of them. */
export function watchCertificates(parts: CertificateWatchParts): () => Promise<void> {
  const { live, metrics, log, dispatch, context } = parts;
  const renewal = createSignerRenewal({
    ...parts,
    onRenewed: async ({ id, from, to }) => {
      gaugeCertificates(live, metrics);
      const [before, after] = [from.chain[0], to.chain[0]];
      if (!before || !after) return;
      metrics.count('attestry_certificate_renewals_total', { signer: id, outcome: 'renewed' });
      log.info({ signer: id, fingerprint: to.fingerprint, notAfter: after.notAfter }, 'certificate renewed');
      if (to.fingerprint === from.fingerprint) return;
      const facts = { id, fingerprint: to.fingerprint, certificate: after.subject, notAfter: after.notAfter };
      await dispatch(certificateRenewed({ ...facts, previous: from.fingerprint }, context()));
    },
    onRefused: (id, { code, message, mend }) => {
      metrics.count('attestry_certificate_renewals_total', { signer: id, outcome: 'refused' });
      log.warn(
        { signer: id, code, mend },
        `the new certificate is not taken over, the present one signs on: ${message}`,
      );
    },
  });
  gaugeCertificates(live, metrics);
  for (const [signer, identity] of live.signers) {
    const warning = identity.signer.kind === 'fixed' ? keyWarning(identity.signer.publicKey) : undefined;
    if (warning !== undefined) log.warn({ signer }, warning);
  }
  return () => renewal.check();
}

function gaugeCertificates({ signers }: Pick<LiveInstallation, 'signers'>, metrics: Pick<Metrics, 'set'>): void {
  for (const [signer, identity] of signers) {
    const [leaf] = identity.signer.kind === 'fixed' ? identity.signer.chain : [];
    if (leaf) metrics.set('attestry_certificate_end_timestamp', { signer }, leaf.notAfter.getTime() / 1000);
  }
}
