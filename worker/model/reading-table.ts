import type { EvidenceLayout } from '#model/evidence.ts';
import type { SignerKind } from '#model/layout-choice.ts';
import type { Verifier } from '#model/verifier.ts';

/** What a verifier is asked for. */
export type Asked = 'attestation' | 'image-signature';

/** What must bear witness to a signature. */
export type Testimony = 'rekor-v1' | 'rekor-v2' | 'timestamp';

/** Whether a verifier reads a layout that a kind of signer wrote. */
export type Reading =
  | {
      readonly reads: true;
      /** One of these must be there; absent: none is needed. */
      readonly needs?: readonly Testimony[];
      /** None of these may be there: it takes the whole for unreadable. */
      readonly breaks?: readonly Testimony[];
      /** What the verifier must be told, where it is not its plain use. */
      readonly how?: string;
    }
  | { readonly reads: false; readonly why: string; readonly mend: string };

type Cell = Reading | Readonly<Record<Asked, Reading>>;

const PLAIN: Reading = { reads: true };
const LOGGED = ['rekor-v1'] as const satisfies readonly Testimony[];
/** What tells the time of a signature: Rekor v2 does not. */
const TIMED = ['rekor-v1', 'timestamp'] as const satisfies readonly Testimony[];

const TAG_ONLY: Reading = {
  reads: false,
  why: 'it never reads bundles',
  mend: 'write layout: cosign-tag or both',
};
const BUNDLE_ONLY: Reading = {
  reads: false,
  why: "it never reads cosign's tags",
  mend: 'write layout: bundle or both',
};

const NO_SIGNED_IMAGES: Reading = {
  reads: false,
  why: 'it takes no image signatures from bundles',
  mend: 'write layout: cosign-tag or both',
};

/**
 * Who reads what (interop specification 0.1, B, C, G, K): verifier × layout × kind of signer. It is the one place where
 * this is written down: the checks of the configuration and the matrix in the documentation are made of it.
 */
export const READING_TABLE: Readonly<
  Record<Verifier, Readonly<Record<EvidenceLayout, Readonly<Record<SignerKind, Cell>>>>>
> = {
  attestry: {
    'cosign-tag': { x509: PLAIN, key: PLAIN, keyless: { reads: true, needs: TIMED } },
    bundle: { x509: PLAIN, key: PLAIN, keyless: { reads: true, needs: TIMED } },
  },
  'cosign-3': {
    'cosign-tag': {
      x509: { reads: true, how: '--certificate-chain, and --insecure-ignore-tlog without a log entry' },
      key: PLAIN,
      keyless: { reads: true, needs: TIMED },
    },
    bundle: {
      x509: { reads: true, how: '--trusted-root with the CA in it; --certificate-chain is refused' },
      key: PLAIN,
      keyless: { reads: true, needs: TIMED },
    },
  },
  'cosign-2': {
    'cosign-tag': {
      x509: { reads: true, how: '--certificate-chain, and --insecure-ignore-tlog without a log entry' },
      key: PLAIN,
      keyless: { reads: true, needs: TIMED },
    },
    bundle: {
      x509: { reads: true, how: '--new-bundle-format and --trusted-root with the CA in it' },
      key: { reads: true, how: '--new-bundle-format and --trusted-root, even where no log is asked' },
      keyless: { reads: true, needs: TIMED, how: '--new-bundle-format, and --use-signed-timestamps for timestamps' },
    },
  },
  'kyverno-cosign': {
    'cosign-tag': {
      x509: {
        reads: true,
        how: 'certificates.certChain with ctlog.ignoreSCT, and rekor.ignoreTlog without a log entry',
      },
      key: { reads: true, how: 'ctlog.ignoreSCT, and rekor.ignoreTlog without a log entry' },
      keyless: { reads: true, needs: TIMED },
    },
    bundle: { x509: TAG_ONLY, key: TAG_ONLY, keyless: TAG_ONLY },
  },
  'kyverno-bundle': {
    'cosign-tag': { x509: BUNDLE_ONLY, key: BUNDLE_ONLY, keyless: BUNDLE_ONLY },
    bundle: {
      x509: {
        reads: false,
        why: 'it takes no certificate of a private CA: its certificates attestors always fail',
        mend: 'write layout: cosign-tag and verify with type Cosign, or sign with a key or keyless',
      },
      key: { reads: true, how: 'Kyverno 1.19 or later, and rekor.ignoreTlog without a log entry' },
      keyless: { reads: true, needs: TIMED, how: "the trusted root of Kyverno's own process" },
    },
  },
  'kyverno-ivp': {
    'cosign-tag': {
      x509: {
        attestation: { reads: true, needs: LOGGED },
        'image-signature': { reads: true, how: 'certificate with certChain, insecureIgnoreTlog and insecureIgnoreSCT' },
      },
      key: { attestation: { reads: true, needs: LOGGED }, 'image-signature': PLAIN },
      keyless: { attestation: { reads: true, needs: LOGGED }, 'image-signature': { reads: true, needs: TIMED } },
    },
    bundle: {
      x509: { reads: true, needs: TIMED, how: 'keyless with the CA in trustedRoot, and insecureIgnoreSCT' },
      key: PLAIN,
      keyless: { reads: true, needs: TIMED },
    },
  },
  'policy-controller': {
    'cosign-tag': {
      x509: { reads: true, how: 'keyless with a TrustRoot that holds intermediates and root' },
      key: PLAIN,
      keyless: { reads: true, needs: TIMED },
    },
    bundle: {
      x509: {
        attestation: {
          reads: true,
          needs: ['timestamp'],
          how: 'signatureFormat: bundle, and a TrustRoot that holds the CA and the timestamp authority',
        },
        'image-signature': NO_SIGNED_IMAGES,
      },
      key: {
        reads: false,
        why: 'it reads bundles of keyless signers alone',
        mend: 'write layout: cosign-tag or both',
      },
      keyless: {
        attestation: {
          reads: true,
          needs: ['timestamp'],
          breaks: ['rekor-v2'],
          how: 'signatureFormat: bundle, rfc3161timestamp and insecureIgnoreSCT: it finds no log that a TrustRoot names',
        },
        'image-signature': NO_SIGNED_IMAGES,
      },
    },
  },
};

/** One cell of the table. */
export function readingOf(verifier: Verifier, layout: EvidenceLayout, kind: SignerKind, asked: Asked): Reading {
  const cell = READING_TABLE[verifier][layout][kind];
  return 'reads' in cell ? cell : cell[asked];
}

/** Verifiers that look no further once an image has a bundle (interop A.3.5); the others take what they can read. */
export const PREFERS_BUNDLES: readonly Verifier[] = ['cosign-3', 'cosign-2', 'kyverno-ivp'];

/** Who finds a layout in another repository than the image's (COSIGN_REPOSITORY, `repository`, `source`). */
export const FINDS_ELSEWHERE: Readonly<Record<EvidenceLayout, readonly Verifier[]>> = {
  'cosign-tag': ['attestry', 'cosign-3', 'cosign-2', 'kyverno-cosign', 'kyverno-ivp', 'policy-controller'],
  // The others list the referrers of the image's own repository.
  bundle: ['attestry'],
};
