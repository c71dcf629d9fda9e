import type { Delivery } from '#producer/webhooks/adapter.ts';

/** Whether the body is a form, as hooks of forges may be configured to send. */
export function isForm(delivery: Pick<Delivery, 'headers'>): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(delivery.headers['content-type'] ?? '');
}

/** The JSON of a delivery: the body, or the field `payload` of a form. A form without it gives no bytes. */
export function payloadBytes(delivery: Pick<Delivery, 'headers' | 'body'>): Uint8Array {
  if (!isForm(delivery)) return delivery.body;
  const form = new URLSearchParams(new TextDecoder().decode(delivery.body));
  return new TextEncoder().encode(form.get('payload') ?? '');
}
