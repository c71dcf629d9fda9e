import { decodeOid, derReader, TAG } from '#crypto/der.ts';
import { oid, sequence } from './der.ts';
import { type HttpServer, serveHttp } from './http-server.ts';
import { EKU, extension, type Issued, issueFrom, type Pki } from './pki.ts';
import { type TimestampSpec, timestampResponse } from './timestamp.ts';

export interface TimestampServer extends HttpServer {
  /** What answers from now on have otherwise than honest ones. */
  stamp(spec: Partial<TimestampSpec>): void;
  /** PEM of the signer's certificate and those above it. */
  readonly chainPem: string;
  readonly signer: Issued;
}

/** A timestamp authority (RFC 3161) that answers requests in DER, as `application/timestamp-query` brings them. */
export async function startTimestampServer({ pki, now }: { pki: Pki; now: () => Date }): Promise<TimestampServer> {
  let bent: Partial<TimestampSpec> = {};
  const signer = issueFrom(pki.intermediate, {
    subject: 'Test TSA',
    subjectAlternativeNames: null,
    extendedKeyUsage: null,
    extensions: [extension('2.5.29.37', sequence(oid(EKU.timeStamping)), true)],
  });
  const server = await serveHttp(({ method, headers, body }) => {
    if (method !== 'POST' || headers['content-type'] !== 'application/timestamp-query') return { status: 415 };
    const { imprint, nonce, wantsCertificate } = readRequest(body);
    const embedded = wantsCertificate ? [signer] : [];
    const spec = { signers: [signer], embedded, time: now(), imprint, nonce, ...bent };
    const reply = timestampResponse(Buffer.alloc(0), spec);
    return { status: 201, headers: { 'content-type': 'application/timestamp-reply' }, body: reply };
  });
  return {
    ...server,
    signer,
    chainPem: signer.pem + pki.chainPem,
    stamp: (spec) => {
      bent = spec;
    },
  };
}

/** TimeStampReq (RFC 3161, 2.4.1); whatever is not as it says is an error of the client. */
function readRequest(bytes: Buffer) {
  const whole = derReader(bytes, 'request');
  const request = whole.enter(TAG.sequence);
  whole.end();
  if (!request.element(TAG.integer).content.equals(Buffer.from([1]))) throw new Error('not version 1');
  const message = request.enter(TAG.sequence);
  const algorithm = message.enter(TAG.sequence);
  if (decodeOid(algorithm.element(TAG.oid).content) !== '2.16.840.1.101.3.4.2.1') throw new Error('not SHA-256');
  const imprint = message.element(TAG.octetString).content;
  if (imprint.length !== 32) throw new Error('not the length of SHA-256');
  const nonce = request.element(TAG.integer).content;
  const flag = request.optional(TAG.boolean);
  request.end();
  return { imprint, nonce, wantsCertificate: flag?.content[0] === 0xff };
}
