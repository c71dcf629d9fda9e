import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { refusedAddress } from '#http/addresses.ts';
import { AppError } from '#model/errors.ts';

/**
 * Name resolution for hosts that someone else named: a name that leads to an address which may not be reached is
 * refused when it is dialled, so that the name cannot change its address between the check and the connection.
 */
export function guardedLookup(loopbackAllowed: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const refused = refusal(hostname, addresses, loopbackAllowed);
      if (refused) return callback(refused, []);
      if (options.all) return callback(null, addresses);
      const first = addresses[0];
      callback(null, first?.address ?? '', first?.family);
    });
  };
}

function refusal(
  hostname: string,
  addresses: readonly LookupAddress[],
  loopbackAllowed: boolean,
): AppError | undefined {
  for (const { address } of addresses) {
    const why = refusedAddress(address, loopbackAllowed);
    if (why === undefined) continue;
    return new AppError('host-not-allowed', `${hostname} was named by another server and leads to ${why}`);
  }
  return undefined;
}
