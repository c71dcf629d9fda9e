import { AppError } from '#model/errors.ts';
import type { MadeSignature } from '#signing/witness.ts';

/** Clocks that differ by more than this cannot both be right enough to tell when something was signed. */
const TOLERANCE_MS = 5 * 60_000;

/**
 * Refuses a time that would make the evidence worthless: one at which the certificate was not valid, or, of a witness
 * that saw the signature just now, one that is not now.
 * @throws AppError `clock-skew`.
 */
export function refuseStrangeTime(witness: string, time: Date, { certificate }: MadeSignature, now?: Date): void {
  if (now && Math.abs(time.getTime() - now.getTime()) > TOLERANCE_MS) {
    const times = `${time.toISOString()}, and this machine says ${now.toISOString()}`;
    throw new AppError('clock-skew', `${witness} says that it is ${times}`, {
      mend: 'set the clock of this machine by NTP, or use another witness',
    });
  }
  if (!certificate || (time >= certificate.notBefore && time <= certificate.notAfter)) return;
  const validity = `${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}`;
  throw new AppError(
    'clock-skew',
    `${witness} saw the signature at ${time.toISOString()}; its certificate: ${validity}`,
    {
      mend: 'set the clocks of this machine, of the CA and of the witness by NTP',
    },
  );
}
