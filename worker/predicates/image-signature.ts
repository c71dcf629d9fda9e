import { type Digest, digestHex } from '#model/digest.ts';
import type { SimpleSigning, Statement } from '#model/evidence.ts';
import { COSIGN_SIGN, STATEMENT_V1 } from '#model/media-types.ts';
import { TOOL_NAME } from '#model/tool.ts';
import { canonicalJson } from '#predicates/canonical-json.ts';

const MADE_BY = 'dev.attestry.tool';

/** What our image signatures claim beside the image: that this program made them. Verifiers pass it over unasked. */
export const SIGNATURE_ANNOTATIONS: Readonly<Record<string, string>> = { [MADE_BY]: TOOL_NAME };

/** The statement of an image signature in a bundle, as cosign 3 writes it (interop A.3.3): no name, empty predicate. */
export function imageSignatureStatement(digest: Digest): Uint8Array {
  const statement = {
    _type: STATEMENT_V1,
    subject: [{ digest: { sha256: digestHex(digest) }, annotations: SIGNATURE_ANNOTATIONS }],
    predicateType: COSIGN_SIGN,
    predicate: {},
  };
  return new TextEncoder().encode(canonicalJson(statement));
}

/**
 * Whether an image signature says that this program made it. The same key may sign by other hands, whose signatures stay.
 */
export function isOurImageSignature(said: Statement | SimpleSigning): boolean {
  const claims = 'image' in said ? [said.annotations] : said.subject.map(({ annotations }) => annotations);
  return claims.length > 0 && claims.every((annotations) => annotations?.[MADE_BY] === TOOL_NAME);
}
