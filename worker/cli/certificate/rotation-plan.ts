import type { PinnedPart } from '#cli/certificate/pem-mentions.ts';
import type { Finding } from '#crypto/lint-rules.ts';

/** A signing certificate, or a plain key, as a plan shows it. */
export interface SignerFacts {
  /** By which records of evidence name it. */
  readonly fingerprint: string;
  readonly subject?: string;
  /** ISO 8601. */
  readonly notAfter?: string;
  readonly names: readonly string[];
  /** Fingerprint of the root; absent for a plain key. */
  readonly root?: string;
  readonly publicKey: string;
}

export interface NextFacts extends SignerFacts {
  readonly sameRoot: boolean;
  readonly sameKey: boolean;
  readonly sameNames: boolean;
  readonly findings: readonly Finding[];
}

/** A policy or trust that pins something of the signer. */
export interface Pin {
  readonly id: string;
  readonly file: string;
  readonly pins: readonly PinnedPart[];
  /** `if-root-changes` where no new certificate was given to compare. */
  readonly change: 'needed' | 'none' | 'if-root-changes';
  /** The identity that is asked for and that the new certificate does not name. */
  readonly identity?: string;
}

/** What a new certificate of a signer would touch. */
export interface RotationPlan {
  readonly signer: string;
  readonly present: SignerFacts;
  readonly next?: NextFacts;
  readonly rules: readonly {
    readonly name: string;
    readonly evidence: readonly string[];
    readonly policies: readonly string[];
  }[];
  readonly policies: readonly Pin[];
  readonly trusts: readonly Pin[];
  readonly evidence: {
    /** Pieces on record as signed by the present one. */
    readonly pieces: number;
    /** Places that hold them. */
    readonly locations: number;
    readonly byRule: Readonly<Record<string, number>>;
  };
  /** Known images whose rule names the signer. */
  readonly images: { readonly count: number; readonly listed: readonly string[] };
  /** What to do, in its order. */
  readonly steps: readonly string[];
}

/** Whether what a file pins has to be changed there, before the new certificate signs. */
export function changeOf(pins: readonly PinnedPart[], next: NextFacts | undefined): Pin['change'] {
  if (pins.includes('certificate')) return 'needed';
  if (pins.includes('public key')) return next?.sameKey ? 'none' : 'needed';
  if (next === undefined) return 'if-root-changes';
  return next.sameRoot ? 'none' : 'needed';
}

/** The steps of a rotation without a gap: what verifies is told of the new one first, what signs last. */
export function rotationSteps(plan: Omit<RotationPlan, 'steps'>): readonly string[] {
  const { present, next, policies, trusts } = plan;
  const changed = [...policies, ...trusts].filter(({ change }) => change !== 'none');
  const only = next === undefined ? ' if its root is another one' : '';
  return [
    ...(next?.findings.some(({ level }) => level === 'error')
      ? ['mend the new certificate: the linter refuses it']
      : []),
    ...changed.map(({ id, file, change, identity }) =>
      identity === undefined
        ? `add the new one beside the old in ${file} (${id})${change === 'if-root-changes' ? only : ''}`
        : `let ${id} ask for a name of the new certificate; it wants ${identity}`,
    ),
    `keep the old certificate or public key as a file, and name it in signers.${plan.signer}.former`,
    'put the new certificate and chain in place of the old files: workers take them over within a minute, without a restart',
    present.notAfter === undefined
      ? 'evidence of the old key holds as long as verifiers have its public key'
      : `evidence of the old certificate holds until ${present.notAfter}, longer where it is timestamped; what lapses is made anew`,
  ];
}
