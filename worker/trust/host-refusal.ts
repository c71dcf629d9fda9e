import { AppError } from '#model/errors.ts';

/** A refusal to reach a host, in words of the setting that would allow it; other errors as they are. */
export function hostRefusal(source: string, error: AppError): AppError {
  if (error.code !== 'host-not-allowed' || !URL.canParse(source)) return error;
  const { host, username, password } = new URL(source);
  if (username !== '' || password !== '') return error;
  return new AppError(error.code, `${host} is not among the hosts that may be asked about revoked certificates`, {
    mend: `add ${host} to the hosts of the trust's revocation, or configure the list or responder itself`,
  });
}
