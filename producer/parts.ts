import type { HandInParts } from '#producer/admin/hand-in.ts';
import type { AdminParts } from '#producer/admin/parts.ts';
import type { HealthCheck } from '#producer/health.ts';
import type { Bearer } from '#producer/intake/credential.ts';
import type { DeliveryKeeper } from '#producer/intake/keep-delivery.ts';
import type { Observe } from '#producer/intake/observation.ts';
import type { IntakePorts } from '#producer/intake/ports.ts';
import type { Source } from '#producer/intake/source.ts';

/** Where the producer writes its log; pino's loggers fit. */
export interface ProducerLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** All that the producer is made of; the composition root fills it. */
export interface ProducerParts {
  /** `POST /hooks/<id>`, one for each; made by `mountSource`. */
  readonly sources: readonly Source[];
  /** `POST /v1/images`, made by `apiSource`; absent: there is no such route. */
  readonly api?: Source;
  /** The operators' routes; absent: there are none. */
  readonly admin?: AdminParts;
  /** `POST /v1/attestations`, for the bearers of `api`; absent: there is no such route. */
  readonly handIn?: HandInParts;
  /** Who may call the operators' routes, made by `bearersOf`; nobody when empty. */
  readonly operators: readonly Bearer[];
  readonly ports: IntakePorts;
  /** Keeps deliveries for people to look at; absent: none. */
  readonly keep?: DeliveryKeeper['keep'];
  /** What readiness depends on: Redis, the queue. */
  readonly checks: readonly HealthCheck[];
  /** The text of `/metrics` and its content type. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly log: ProducerLog;
  /** Told of each delivery, job, skip and refusal; see `IntakeObservation`. */
  readonly observe: Observe;
  readonly now: () => Date;
  /** A new id for a request; unique, short, not guessable. */
  readonly requestId: () => string;
  /** Carries on a W3C `traceparent` when it is sound, else starts a new one. */
  readonly traceparent: (incoming: string | undefined) => string;
}
