/** A request that cannot be served as it is: the field and the mend, as a value that becomes the answer. */
export interface Refusal {
  readonly refused: true;
  readonly status: 400 | 403 | 404 | 413 | 422;
  readonly reason: string;
  readonly message: string;
}

export function refusal(status: Refusal['status'], reason: string, message: string): Refusal {
  return { refused: true, status, reason, message };
}

export function isRefusal(value: object): value is Refusal {
  return 'refused' in value;
}
