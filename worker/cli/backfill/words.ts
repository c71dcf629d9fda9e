import type { Backfill, BackfillProgress } from '#model/backfill.ts';
import type { Estimate } from '#reconcile/backfill-estimate.ts';

export type CurrentBackfill = Backfill & { readonly progress: BackfillProgress };

/** A plan in words: what it would do, what that takes, and what these numbers rest on. */
export function planWords(backfill: Backfill, repositories: number, estimate: Estimate): string {
  const { requests, sentBytes, ms } = estimate;
  return [
    `plan ${backfill.id} of ${backfill.registries.join(', ')}${patternWords(backfill)}`,
    `  images      ${backfill.images} tags in ${repositories} repositories; those that are known are left out when it runs`,
    `  requests    about ${requests} to the registries, ${perImage(requests, backfill.images)} an image`,
    `  written     about ${bytesWords(sentBytes)}`,
    `  time        about ${timeWords(ms)} with ${backfill.concurrency} at a time${hoursWords(backfill)}`,
    `  estimated   ${basisWords(estimate)}`,
    '',
  ].join('\n');
}

export function statusWords(backfill: CurrentBackfill, leftMs: number | undefined): string {
  const { id, state, images, concurrency, progress } = backfill;
  const { position, done, failed, covered, gone, enqueued } = progress;
  const percent = images === 0 ? 100 : Math.floor((settled(backfill) / images) * 100);
  const waiting = Math.max(enqueued - done - failed, 0);
  const left = leftMs === undefined || state !== 'running' ? '' : `, about ${timeWords(leftMs)} left`;
  return (
    `${id} ${state}: ${settled(backfill)} of ${images} (${percent} %), ${done} attested, ${covered} known, ${gone} gone, ` +
    `${failed} failed, ${waiting} in the queue, ${images - position} to be looked at; ` +
    `${concurrency} at a time${hoursWords(backfill)}${left}`
  );
}

/** Tags that are dealt with. */
export function settled({ images, progress }: CurrentBackfill): number {
  const { done, failed, covered, gone } = progress;
  return Math.min(done + failed + covered + gone, images);
}

function basisWords({ measured, same }: Estimate): string {
  if (measured === 0) {
    return 'from no image of yours, since none was attested yet: numbers of a small image; images of many layers take more';
  }
  const of = same ? 'of these registries' : 'of other registries, since none of these was attested yet';
  return `from the last ${measured} images ${of} that the workers attested: their mean, times the number of images`;
}

function patternWords({ repositories }: Backfill): string {
  return repositories === undefined ? '' : `, repositories ${repositories.join(', ')}`;
}

function hoursWords({ hours }: Backfill): string {
  return hours === undefined ? '' : `, from ${hours.from} to ${hours.to} o'clock ${hours.zone}`;
}

function perImage(total: number, images: number): string {
  return images === 0 ? '0' : (total / images).toFixed(1);
}

export function bytesWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let at = 0;
  for (; value >= 1024 && at < units.length - 1; at++) value /= 1024;
  return `${value.toFixed(at === 0 ? 0 : 1)} ${units[at]}`;
}

export function timeWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.max(Math.round(ms / 1000), 1)} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
