import { readOcspSource } from '#compose/ocsp-source.ts';
import type { Revocation } from '#crypto/revocation-entries.ts';
import type { AskedCertificate } from '#redis/revocation-memory.ts';
import type { OcspAnswers, OcspQuestion } from '#trust/ocsp-answers.ts';

/** How it is put down that nothing is said against a certificate. */
export const GOOD = 'good';

/** Questions at once. */
const AT_ONCE = 16;

type Asked = readonly [AskedCertificate, OcspQuestion];

/**
 * What responders say now of those that they were asked about; nothing where nothing could be found out. A responder
 * that answers none of sixteen questions is asked no more this time: it is away, and each would wait for that again.
 */
export async function saidByResponders(
  asked: readonly AskedCertificate[],
  answers: Pick<OcspAnswers, 'refresh'> | undefined,
): Promise<ReadonlyMap<AskedCertificate, string>> {
  const said = new Map<AskedCertificate, string>();
  if (!answers) return said;
  for (const questions of byResponder(asked).values()) {
    for (let at = 0; at < questions.length; at += AT_ONCE) {
      const before = said.size;
      await Promise.all(questions.slice(at, at + AT_ONCE).map((each) => ask(each, answers, said)));
      if (said.size === before) break;
    }
  }
  return said;
}

async function ask(
  [certificate, question]: Asked,
  answers: Pick<OcspAnswers, 'refresh'>,
  said: Map<AskedCertificate, string>,
): Promise<void> {
  const check = await answers.refresh(question);
  if (check.kind === 'good') said.set(certificate, GOOD);
  if (check.kind === 'revoked') said.set(certificate, saidOf(check.revocation));
}

function byResponder(asked: readonly AskedCertificate[]): ReadonlyMap<string, readonly Asked[]> {
  const questions = asked.flatMap((certificate): Asked[] => {
    const source = readOcspSource(certificate.source);
    return source ? [[certificate, { ...source, serialNumber: certificate.serial }]] : [];
  });
  return Map.groupBy(questions, ([, { responder }]) => responder);
}

/** How a revocation is put down. */
export function saidOf({ reason, since }: Revocation): string {
  return `${reason} ${since.toISOString()}`;
}
