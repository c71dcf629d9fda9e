import { heldStatements, readAttached } from '#engine/attached-evidence.ts';
import { readBuildkitFindings } from '#engine/buildkit-findings.ts';
import type { EnginePorts, EvidenceWish, ImportSource } from '#engine/engine-ports.ts';
import { readyStatement } from '#engine/ready-statement.ts';
import { knowingRevocation } from '#engine/revocation.ts';
import { signerAttestor } from '#engine/signer-attestor.ts';
import { type Digest, sha256 } from '#model/digest.ts';
import type { EvidenceLayout, Statement } from '#model/evidence.ts';
import { isOfFamily } from '#model/evidence-type.ts';
import { SLSA_PROVENANCE } from '#model/media-types.ts';
import type { Subject } from '#model/subject.ts';
import { isOurs } from '#predicates/own-statement.ts';
import { parseStatement } from '#verification/statement.ts';
import { isAlsoAboutOthers } from '#verification/statement-subject.ts';

/** Provenance that was found where a rule takes it over from, and is not taken over. */
export interface RefusedImport {
  readonly from: ImportSource['from'];
  /** The digest on which it was found. */
  readonly subject: Digest;
  /** Digest of the blob. */
  readonly digest: Digest;
  readonly why: string;
}

export interface FoundImports {
  /** What is wanted now: what is taken over, and the other wishes without the digests that have it. */
  readonly wishes: readonly EvidenceWish[];
  readonly refused: readonly RefusedImport[];
}

/** One statement of others that holds. */
interface Found {
  readonly subject: Digest;
  readonly payload: Uint8Array;
  readonly predicateType: string;
}

/** Statements about one digest; real ones have one or two. */
const MAX_STATEMENTS = 8;
const ALSO_ABOUT_OTHERS = 'it is also about another image';
/** A provenance of a large build is a few MiB. */
const MAX_STATEMENT_BYTES = 16 * 1024 * 1024;

/** Where each source puts what it signed. */
const LAYOUTS = { github: ['bundle'], tekton: ['cosign-tag'] } as const satisfies Record<
  string,
  readonly EvidenceLayout[]
>;

/**
 * Looks for provenance of others where wishes take it over from. What is found and holds is wanted as it is, on the
 * digest that it names, by the signer of the import; observed provenance is wanted where nothing was found.
 * @throws AppError the registry errors: what could not be looked for is not taken for missing.
 */
export async function withImports(
  subject: Subject,
  wishes: readonly EvidenceWish[],
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<FoundImports> {
  const wanted: EvidenceWish[] = [];
  const refused: RefusedImport[] = [];
  for (const wish of wishes) {
    const taken = new Set<Digest>();
    for (const source of wish.imports ?? []) {
      const found = await findStatements(subject, wish, source, ports, signal);
      refused.push(...found.refused);
      const fresh = found.statements.filter(({ subject: about }) => !taken.has(about));
      wanted.push(...fresh.map((statement) => importWish(wish, source, statement)));
      for (const { subject: about } of fresh) taken.add(about);
    }
    wanted.push(taken.size === 0 ? wish : { ...wish, except: taken });
  }
  return { wishes: wanted, refused };
}

function importWish(
  wish: EvidenceWish,
  { identity }: ImportSource,
  { subject, payload, predicateType }: Found,
): EvidenceWish {
  const { imports: _, ...rest } = wish;
  return {
    ...rest,
    predicateType,
    identity,
    attestor: identity.trust ?? signerAttestor(identity.signer),
    platforms: false,
    ready: readyStatement(subject, payload, false),
  };
}

async function findStatements(
  subject: Subject,
  wish: EvidenceWish,
  source: ImportSource,
  ports: EnginePorts,
  signal?: AbortSignal,
): Promise<{ readonly statements: readonly Found[]; readonly refused: readonly RefusedImport[] }> {
  switch (source.from) {
    case 'buildkit':
      return unsignedStatements(subject, ports, signal);
    case 'github':
    case 'tekton':
      return signedStatements(subject, wish, { ...source, from: source.from }, ports, signal);
  }
}

/**
 * BuildKit signs nothing: its statement is consistent with the index at best. It must be about its platform image and
 * about nothing else, for otherwise our signature would speak of images that nobody looked at.
 */
async function unsignedStatements(subject: Subject, ports: EnginePorts, signal?: AbortSignal) {
  const statements: Found[] = [];
  const refused: RefusedImport[] = [];
  const source = ports.registries.target(subject.image.registry);
  await readBuildkitFindings(source, subject, signal, (finding, bytes) => {
    const { platformDigest, predicateType, digest } = finding;
    if (platformDigest === undefined || !isProvenance(predicateType)) return;
    const why = finding.ok ? unfitToSign(bytes, platformDigest) : finding.why;
    const isPlatform = subject.platforms.some(({ descriptor }) => descriptor.digest === platformDigest);
    if (why !== undefined) refused.push({ from: 'buildkit', subject: platformDigest, digest, why });
    else if (isPlatform && finding.ok) {
      statements.push({ subject: platformDigest, payload: bytes, predicateType: finding.predicateType ?? '' });
    }
  });
  return { statements: statements.slice(0, MAX_STATEMENTS * subject.platforms.length), refused };
}

function unfitToSign(bytes: Uint8Array, digest: Digest): string | undefined {
  if (bytes.byteLength > MAX_STATEMENT_BYTES) return `it has more than ${MAX_STATEMENT_BYTES} bytes`;
  const reading = parseStatement(bytes, 'strict');
  if (!reading.ok) return reading.defect.message;
  return isAlsoAboutOthers(reading.statement, new Set([digest])) ? ALSO_ABOUT_OTHERS : undefined;
}

/** Statements that their maker signed, beside the image; verified first, under the trust of the import. */
async function signedStatements(
  subject: Subject,
  wish: EvidenceWish,
  { from, trust }: ImportSource & { readonly from: keyof typeof LAYOUTS },
  ports: EnginePorts,
  signal?: AbortSignal,
) {
  const statements: Found[] = [];
  const refused: RefusedImport[] = [];
  const { registry, repository } = subject.image;
  const source = ports.registries.target(registry);
  const own = new Set(
    [subject.descriptor, ...subject.platforms.map((each) => each.descriptor)].map((each) => each.digest),
  );
  const platforms = wish.platforms ? subject.platforms.map(({ descriptor }) => descriptor.digest) : [];
  for (const digest of new Set([subject.descriptor.digest, ...platforms])) {
    if (!trust) break;
    const found = await readAttached(source, { registry, repository, digest }, LAYOUTS[from], signal);
    const judge = async () => heldStatements(found, trust, ports.now());
    const { held, not } = await knowingRevocation(ports, judge, signal);
    const taken = new Set<Digest>();
    for (const { evidence, payload } of held) {
      const { statement } = evidence;
      const fits = payload.byteLength <= MAX_STATEMENT_BYTES && taken.size < MAX_STATEMENTS;
      if (!fits || !isForeignProvenance(statement) || taken.has(sha256(payload))) continue;
      // Its maker may vouch for several images at once; our signature beside another one would be nobody's decision.
      if (isAlsoAboutOthers(statement, own)) {
        refused.push({ from, subject: digest, digest: evidence.raw.descriptor.digest, why: ALSO_ABOUT_OTHERS });
        continue;
      }
      taken.add(sha256(payload));
      statements.push({ subject: digest, payload, predicateType: statement.predicateType });
    }
    if (taken.size > 0) continue;
    for (const { raw, why } of not) refused.push({ from, subject: digest, digest: raw.descriptor.digest, why });
  }
  return { statements, refused };
}

/** What this program observed is nobody's build, whoever signed it. */
function isForeignProvenance(statement: Statement | undefined): statement is Statement {
  return statement !== undefined && isProvenance(statement.predicateType) && !isOurs(statement);
}

function isProvenance(predicateType: string | undefined): boolean {
  return predicateType !== undefined && isOfFamily(predicateType, SLSA_PROVENANCE);
}
