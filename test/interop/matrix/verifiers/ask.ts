import type { Verifier } from '#model/verifier.ts';
import type { Cell, Judgement, Trust } from '../cell.ts';
import { askAttestry } from './attestry.ts';
import { askCosign } from './cosign.ts';
import { askKyverno } from './kyverno.ts';
import { askPolicyController } from './policy-controller.ts';

/** What all verifiers are told beside the cell. */
export interface Bench extends Trust {
  /** A home for Kyverno whose cache of trust holds the stack's. */
  readonly kyvernoHome: string;
}

/** Has one of the real verifiers judge a cell. */
export function ask(verifier: Verifier, cell: Cell, bench: Bench): Promise<Judgement> {
  switch (verifier) {
    case 'attestry':
      return askAttestry(cell, bench);
    case 'cosign-3':
      return askCosign(3, cell, bench);
    case 'cosign-2':
      return askCosign(2, cell, bench);
    case 'kyverno-cosign':
      return askKyverno('cosign', cell, bench);
    case 'kyverno-bundle':
      return askKyverno('bundle', cell, bench, bench.kyvernoHome);
    case 'kyverno-ivp':
      return askKyverno('image-validating', cell, bench);
    case 'policy-controller':
      return askPolicyController(cell, bench);
  }
}
