/** The kinds of registry that behave differently: two that keep referrers at a fallback tag, one that lists them. */
export const REGISTRY_KINDS = ['distribution-2', 'distribution-3', 'referrers-api'] as const;
export type RegistryKind = (typeof REGISTRY_KINDS)[number];
