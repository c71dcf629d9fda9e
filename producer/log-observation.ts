import type { IntakeObservation } from '#producer/intake/observation.ts';
import type { ProducerLog } from '#producer/parts.ts';

/** One line for each thing that an operator would look for. Names were made fit for logs where they were read. */
export function logObservation(log: ProducerLog, observation: IntakeObservation): void {
  const { kind, ...fields } = observation;
  switch (kind) {
    case 'delivery':
    case 'answered':
      // Counted, and told by the lines of its items.
      break;
    case 'enqueued':
      log.info(fields, 'push enqueued');
      break;
    case 'skipped':
      log.info(fields, 'push skipped');
      break;
    case 'tried':
      log.info(fields, 'trial judged; nothing was enqueued');
      break;
    case 'unauthenticated':
      log.warn(fields, 'delivery with a missing or wrong credential; some senders now retry it for ever');
      break;
    case 'rate-exceeded':
      log.warn(fields, 'more pushes than the rate guard allows; the job is delayed');
      break;
    case 'signing-refused':
      log.warn(fields, 'handed in, and not signed');
      break;
    case 'unavailable':
      log.error(fields, 'delivery not accepted');
      break;
  }
}
