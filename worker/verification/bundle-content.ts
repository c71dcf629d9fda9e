import { type Members, MessageProblem, type MessageReader } from '#verification/proto-json.ts';

/** Signatures that are read of one envelope; exactly one counts. */
const MAX_SIGNATURES = 32;

/** What was signed: an envelope, or the bytes of the image's manifest. */
export type BundleContent = EnvelopeContent | MessageContent;

export interface EnvelopeContent {
  readonly kind: 'envelope';
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly { readonly keyid: string; readonly signature: Buffer }[];
  /** As the bundle writes them: what a log hashed was made of these texts. */
  readonly written: { readonly payload: string; readonly signatures: readonly string[] };
}

export interface MessageContent {
  readonly kind: 'message';
  /** Name in the schema, e.g. `SHA2_256`; empty when there is no digest. */
  readonly algorithm: string;
  readonly digest: Buffer;
  readonly signature: Buffer;
}

/** @throws MessageProblem unless exactly one of the two is there and whole. */
export function readContent({ dsseEnvelope, messageSignature }: Members, reader: MessageReader): BundleContent {
  if ((dsseEnvelope === undefined) === (messageSignature === undefined)) {
    throw new MessageProblem('the bundle must hold exactly one of dsseEnvelope and messageSignature');
  }
  return dsseEnvelope === undefined ? readMessage(messageSignature, reader) : readEnvelope(dsseEnvelope, reader);
}

function readEnvelope(value: unknown, reader: MessageReader): EnvelopeContent {
  const path = 'dsseEnvelope';
  const {
    payload,
    payloadType = '',
    signatures,
  } = reader.object(value, path, ['payload', 'payloadType', 'signatures']);
  const entries = reader.list(signatures, `${path}.signatures`, MAX_SIGNATURES).map((each, index) => {
    const at = `${path}.signatures[${index}]`;
    const { sig, keyid = '' } = reader.object(each, at, ['sig', 'keyid']);
    return {
      text: reader.text(sig, `${at}.sig`),
      keyid: reader.text(keyid, `${at}.keyid`),
      signature: reader.bytes(sig, `${at}.sig`),
    };
  });
  return {
    kind: 'envelope',
    payloadType: reader.text(payloadType, `${path}.payloadType`),
    payload: reader.bytes(payload, `${path}.payload`),
    signatures: entries.map(({ keyid, signature }) => ({ keyid, signature })),
    written: { payload: reader.text(payload, `${path}.payload`), signatures: entries.map(({ text }) => text) },
  };
}

function readMessage(value: unknown, reader: MessageReader): MessageContent {
  const path = 'messageSignature';
  const { messageDigest, signature } = reader.object(value, path, ['messageDigest', 'signature']);
  const digest =
    messageDigest === undefined ? {} : reader.object(messageDigest, `${path}.messageDigest`, ['algorithm', 'digest']);
  return {
    kind: 'message',
    algorithm: reader.text(digest.algorithm ?? '', `${path}.messageDigest.algorithm`),
    digest: reader.bytes(digest.digest ?? '', `${path}.messageDigest.digest`),
    signature: reader.bytes(signature, `${path}.signature`),
  };
}
