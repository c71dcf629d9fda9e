import type { ImageOutcome } from '#copy/copy-repository.ts';
import { placeName } from '#copy/place.ts';
import type { Moved } from '#copy/transfer.ts';
import { isDigest } from '#model/digest.ts';

/** What one image came to, on one line, and what is wrong with it on the next ones. */
export function imageText({ reference, from, to, tag, result }: ImageOutcome): string {
  const source = `${placeName(from)}${isDigest(reference) ? '@' : ':'}${reference}`;
  const destination = `${placeName(to)}${tag === undefined ? '' : `:${tag}`}`;
  if (!result.ok) {
    const { code, message, mend } = result.error;
    const next = mend === undefined ? '' : `    ${mend}\n`;
    return `failed\t${source}\t${destination}\t${code}\n    ${message}\n${next}`;
  }
  const { state, digest, manifests, referrers, tags, merged, missing, lost } = result.image;
  const counts = `manifests=${manifests} referrers=${referrers} cosign-tags=${tags}`;
  const notes = [
    ...merged.map((name) => `joined with what stood at ${name}`),
    ...missing.map((what) => `${state === 'planned' ? 'to bring' : 'missing at the destination'}: ${what}`),
    ...lost.map((what) => `lost at the source: ${what}`),
  ];
  const lines = notes.map((note) => `    ${note}\n`).join('');
  return `${state}\t${source}\t${destination}\t${digest}\t${counts}\n${lines}`;
}

/** The last line. */
export function summaryText(outcomes: readonly ImageOutcome[], moved: Moved): string {
  const counts = new Map<string, number>();
  for (const { result } of outcomes) {
    const state = result.ok ? result.image.state : 'failed';
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'none';
  const mebibytes = (moved.bytes / 1024 / 1024).toFixed(1);
  return `${outcomes.length} images: ${states}; blobs: ${moved.blobs} moved (${mebibytes} MiB), ${moved.mounted} mounted, ${moved.present} there before\n`;
}

export function jsonReport(outcomes: readonly ImageOutcome[], moved: Moved): string {
  const images = outcomes.map(({ reference, from, to, tag, result }) => ({
    from: placeName(from),
    reference,
    to: placeName(to),
    ...(tag === undefined ? {} : { tag }),
    ...(result.ok ? result.image : { state: 'failed', error: errorOf(result.error) }),
  }));
  return `${JSON.stringify({ images, blobs: moved }, null, 2)}\n`;
}

function errorOf({ code, message, mend }: { code: string; message: string; mend: string | undefined }): object {
  return { code, message, ...(mend === undefined ? {} : { mend }) };
}
