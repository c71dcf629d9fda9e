import type { CertificateAttestor, KeyAttestor } from '#verification/attestor.ts';

/** What is known of an attestor before its material is there. */
export interface LiveAttestor<Kind extends CertificateAttestor | KeyAttestor> {
  readonly kind: Kind['kind'];
  /** Stands for the material in the identity of policies, which outlives it. */
  readonly source: string;
  /** The attestor as of now. @throws AppError `trust-unavailable` while there is none. */
  current(): Kind;
}

/**
 * An attestor whose material is replaced from time to time: whoever holds it always asks the newest. A judgement is one
 * synchronous step, so that its material cannot change under it.
 */
export function liveAttestor<Kind extends CertificateAttestor | KeyAttestor>(live: LiveAttestor<Kind>): Kind {
  const fixed: Readonly<Record<string | symbol, unknown>> = { kind: live.kind, source: live.source };
  const membersNow = (): Kind => ({ ...live.current(), source: live.source });
  return new Proxy(Object.create(null) as Kind, {
    get(_, name) {
      // A promise asks whatever it is given for `then`.
      if (name === 'then') return undefined;
      return name in fixed ? fixed[name] : Reflect.get(live.current(), name);
    },
    has: (_, name) => Reflect.has(membersNow(), name),
    ownKeys: () => Reflect.ownKeys(membersNow()),
    getOwnPropertyDescriptor: (_, name) => {
      const descriptor = Reflect.getOwnPropertyDescriptor(membersNow(), name);
      return descriptor && { ...descriptor, configurable: true };
    },
  });
}
