/** Set-up could not be done. The message is one line for the user: what failed, and what to do. */
export class SetupError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'SetupError';
  }
}

/** Progress goes to standard error: standard output carries results only. */
export function say(line) {
  process.stderr.write(`attestry: ${line}\n`);
}

export function sayNothing() {}
