import { MAX_SHOWN } from '#producer/intake/limits.ts';

/**
 * A foreign name made fit for logs and answers: control and formatting characters go (they forge lines and reorder
 * text on terminals), and the length is bounded.
 */
export function shown(text: string): string {
  const clean = text.slice(0, MAX_SHOWN * 2).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '');
  return clean.length > MAX_SHOWN ? `${clean.slice(0, MAX_SHOWN)}…` : clean;
}
