import { inspect } from 'node:util';

/** A secret in a box: it prints as redacted wherever it ends up, and gives its value only to who asks for it. */
export class Secret {
  readonly #value: string;
  /** Where it came from, e.g. `env:NAME`; safe to print. */
  readonly reference: string;

  constructor(value: string, reference: string) {
    this.#value = value;
    this.reference = reference;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return `[redacted ${this.reference}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** `env:NAME` or `file:/path`: how configuration names a secret. */
export const SECRET_REFERENCE = /^(?:env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;

/**
 * Reads a secret from its reference, anew at each call, so that a rotated file counts without a restart.
 * @throws AppError `config-invalid` when the variable or file is missing.
 */
export type SecretResolver = (reference: string) => Secret;
