import { verify, X509Certificate } from 'node:crypto';
import { AppError } from '#model/errors.ts';
import { type CachedFetch, createCachedFetch } from '#producer/intake/cached-fetch.ts';
import type { SnsCredential } from '#producer/intake/credential.ts';
import { CERTIFICATE_AGE_MS, CLOCK_SKEW_MS, SNS_MAX_AGE_MS } from '#producer/intake/limits.ts';
import type { Outbound } from '#producer/intake/ports.ts';
import { readJson } from '#producer/webhooks/json.ts';
import { SnsMessage, snsUrl } from '#producer/webhooks/sns-message.ts';

/** Tells genuine messages of given topics (SNS developer guide, "verifying the signatures of messages"). */
export interface SnsCheck {
  /** @throws AppError when the certificate cannot be fetched or read. */
  isGenuine(credential: SnsCredential, body: Uint8Array, now: Date): Promise<boolean>;
}

export function createSnsCheck(outbound: Outbound): SnsCheck {
  const certificates = createCachedFetch(async (url) => readCertificate(await outbound.get(url)));
  return { isGenuine: (credential, body, now) => isGenuine(certificates, credential, body, now) };
}

async function isGenuine(
  certificates: CachedFetch<X509Certificate>,
  { topicArns }: SnsCredential,
  body: Uint8Array,
  now: Date,
): Promise<boolean> {
  const json = readJson(body);
  const read = json.ok ? SnsMessage.safeParse(json.value) : undefined;
  if (!read?.success) return false;
  const message = read.data;
  // The topic first: any customer can have genuine messages sent here, and none of them may make us fetch anything.
  if (!topicArns.includes(message.TopicArn) || !isFresh(message.Timestamp, now)) return false;
  const url = snsUrl(message.SigningCertURL, message.TopicArn);
  if (!url?.pathname.endsWith('.pem') || url.search !== '') return false;
  const { SignatureVersion: version } = message;
  const algorithm = Object.hasOwn(ALGORITHMS, version) ? ALGORITHMS[version] : undefined;
  if (algorithm === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(message.Signature)) return false;
  const certificate = await certificates.get(url, now, CERTIFICATE_AGE_MS);
  // The connection to SNS's own host vouches for it; it is issued below a public CA whose chain is not sent.
  if (now < certificate.validFromDate || now > certificate.validToDate) return false;
  return verify(
    algorithm,
    Buffer.from(signedText(message)),
    certificate.publicKey,
    Buffer.from(message.Signature, 'base64'),
  );
}

const ALGORITHMS: Readonly<Record<string, string>> = { '1': 'RSA-SHA1', '2': 'RSA-SHA256' };

/** The names that are signed, in order; a notification without a subject leaves it out. */
function signedText(message: SnsMessage): string {
  const names =
    message.Type === 'Notification'
      ? (['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'] as const)
      : (['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'] as const);
  return names.flatMap((name) => (typeof message[name] === 'string' ? [`${name}\n${message[name]}\n`] : [])).join('');
}

function isFresh(timestamp: string, now: Date): boolean {
  const age = now.getTime() - Date.parse(timestamp);
  return age >= -CLOCK_SKEW_MS && age <= SNS_MAX_AGE_MS;
}

function readCertificate(bytes: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (error) {
    throw new AppError('certificate-unreadable', "SNS's signing certificate cannot be read", { cause: error });
  }
}
