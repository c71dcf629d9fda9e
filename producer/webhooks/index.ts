import type { WebhookAdapter } from '#producer/webhooks/adapter.ts';
import { distribution } from '#producer/webhooks/adapters/distribution.ts';
import { generic } from '#producer/webhooks/adapters/generic.ts';

/** Every sender that is understood, one file each in `adapters/`. */
export const ADAPTERS: readonly WebhookAdapter[] = [distribution, generic];

export function adapterOf(id: string): WebhookAdapter | undefined {
  return ADAPTERS.find((adapter) => adapter.id === id);
}
