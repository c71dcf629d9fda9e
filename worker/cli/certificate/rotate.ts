import { mentionedParts, type PartsByFingerprint, type PinnedPart } from '#cli/certificate/pem-mentions.ts';
import { planText } from '#cli/certificate/plan-text.ts';
import { recordedEvidence, ruledImages } from '#cli/certificate/recorded-evidence.ts';
import {
  changeOf,
  type NextFacts,
  type Pin,
  type RotationPlan,
  rotationSteps,
  type SignerFacts,
} from '#cli/certificate/rotation-plan.ts';
import { type FixedSignerOptions, fixedSigner, openSignerKey } from '#cli/certificate/signer-key.ts';
import { type CommandIo, EXIT } from '#cli/command.ts';
import { onlyPositional } from '#cli/flags.ts';
import { readText } from '#cli/read-text.ts';
import { configFile, loadParts } from '#cli/run-processes.ts';
import type { ProcessParts } from '#compose/process-parts.ts';
import type { Certificate } from '#crypto/certificate.ts';
import { orderChain } from '#crypto/chain.ts';
import { publicKeyFingerprint } from '#crypto/fingerprint.ts';
import { lintCertificate } from '#crypto/lint.ts';
import { parseCertificates } from '#crypto/parse-certificate.ts';
import { AppError } from '#model/errors.ts';

export interface RotateFlags {
  readonly plan?: boolean | undefined;
  readonly certificate?: string | undefined;
  readonly chain?: string | undefined;
  readonly config?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Images that a person is shown, and a program. */
const SHOWN = { text: 10, json: 10_000 };

/** `attestry certificate rotate ID --plan`: what a new certificate of a signer would touch. Changes nothing. */
export async function rotateCommand(ids: readonly string[], flags: RotateFlags, io: CommandIo): Promise<number> {
  const id = onlyPositional(ids, 'id of a signer');
  if (!flags.plan) {
    const mend = 'add --plan: it says what to do, and files are yours to change';
    throw new AppError('usage', 'rotate needs --plan', { mend });
  }
  if (flags.chain !== undefined && flags.certificate === undefined) {
    throw new AppError('usage', '--chain needs --certificate', { mend: 'name the new certificate too' });
  }
  const file = configFile(flags.config, io);
  const parts = await loadParts(file, 'certificate', 'none', io);
  const option = fixedSigner(parts.config.signers, id);
  const chain = await presentChain(option, parts);
  const present = chain.length > 0 ? factsOf(chain) : await keyFacts(io, file, id);
  const next = flags.certificate === undefined ? undefined : await nextFacts(io, flags, present);
  const pinned = partsOf(present, chain);
  const rules = parts.config.rules.filter(({ evidence }) => evidence.some((each) => each.signer === id));
  const names = new Set(rules.map(({ name }) => name));
  await using connection = await parts.connect('store');
  const { prefix } = parts.config.redis;
  const plan: Omit<RotationPlan, 'steps'> = {
    signer: id,
    present,
    ...(next === undefined ? {} : { next }),
    rules: rules.map(({ name, evidence, policies }) => ({
      name,
      evidence: evidence.filter((each) => each.signer === id).map(({ type }) => type),
      policies,
    })),
    policies: await policyPins(parts, pinned, next),
    trusts: await trustPins(parts, pinned, present, next),
    evidence: await recordedEvidence(connection.client, prefix, present.fingerprint),
    images: await ruledImages(
      connection.client,
      prefix,
      parts.config.rules,
      names,
      SHOWN[flags.json ? 'json' : 'text'],
    ),
  };
  const whole: RotationPlan = { ...plan, steps: rotationSteps(plan) };
  io.stdout(flags.json ? `${JSON.stringify(whole, null, 2)}\n` : planText(whole));
  return next?.findings.some(({ level }) => level === 'error') ? EXIT.fail : EXIT.ok;
}

/** Leaf first, root last; empty for a plain key. */
async function presentChain(option: FixedSignerOptions, { readFile }: ProcessParts): Promise<readonly Certificate[]> {
  if (option.type === 'key') return [];
  const read = async (path: string) => parseCertificates((await readFile(path)).toString('utf8'));
  const [leaf, ...appended] = await read(option.certificate);
  if (!leaf) throw new AppError('internal', 'a certificate file without certificates was read');
  return orderChain(leaf, [...appended, ...(await read(option.chain))]).chain;
}

function factsOf(chain: readonly Certificate[]): SignerFacts {
  const [leaf] = chain;
  if (!leaf) throw new AppError('internal', 'a chain without a certificate');
  const names = leaf.subjectAlternativeNames.flatMap(({ type, value }) =>
    type === 'uri' || type === 'email' ? [value] : [],
  );
  return {
    fingerprint: leaf.fingerprint,
    subject: leaf.subject,
    notAfter: leaf.notAfter.toISOString(),
    names,
    root: chain.at(-1)?.fingerprint ?? leaf.fingerprint,
    publicKey: publicKeyFingerprint(leaf.publicKey),
  };
}

async function keyFacts(io: CommandIo, config: string, id: string): Promise<SignerFacts> {
  await using opened = await openSignerKey(io, config, id);
  const publicKey = publicKeyFingerprint(opened.key.publicKey);
  return { fingerprint: publicKey, names: [], publicKey };
}

async function nextFacts(io: CommandIo, flags: RotateFlags, present: SignerFacts): Promise<NextFacts> {
  const [leaf, ...appended] = parseCertificates(await readText(io, '--certificate', flags.certificate ?? ''));
  if (!leaf) throw new AppError('internal', 'a certificate file without certificates was read');
  const others = flags.chain === undefined ? [] : parseCertificates(await readText(io, '--chain', flags.chain));
  const given = [...appended, ...others];
  const findings = lintCertificate({ leaf, chain: given, now: io.now() });
  const facts = factsOf(orderChain(leaf, given).chain);
  return {
    ...facts,
    sameRoot: facts.root === present.root,
    sameKey: facts.publicKey === present.publicKey,
    sameNames: facts.names.join('\n') === present.names.join('\n'),
    findings,
  };
}

function partsOf({ publicKey }: SignerFacts, chain: readonly Certificate[]): PartsByFingerprint {
  const parts = new Map<string, PinnedPart>([[publicKey, 'public key']]);
  for (const [at, { fingerprint }] of chain.entries()) {
    parts.set(fingerprint, at === 0 ? 'certificate' : at === chain.length - 1 ? 'root' : 'intermediate');
  }
  return parts;
}

async function policyPins(
  { config, readFile }: ProcessParts,
  parts: PartsByFingerprint,
  next: NextFacts | undefined,
): Promise<Pin[]> {
  const found: Pin[] = [];
  for (const { id, file: files } of config.policies) {
    for (const file of files) {
      const pins = mentionedParts((await readFile(file)).toString('utf8'), parts);
      if (pins.length > 0) found.push({ id, file, pins, change: changeOf(pins, next) });
    }
  }
  return found;
}

async function trustPins(
  { config, readFile }: ProcessParts,
  parts: PartsByFingerprint,
  present: SignerFacts,
  next: NextFacts | undefined,
): Promise<Pin[]> {
  const found: Pin[] = [];
  for (const { id, anchors, identity } of config.trusts) {
    if (!('file' in anchors)) continue;
    const { file } = anchors;
    const pins = mentionedParts((await readFile(file)).toString('utf8'), parts);
    if (pins.length === 0) continue;
    const name = identity?.subject;
    const isRenamed = name !== undefined && present.names.includes(name) && next && !next.names.includes(name);
    const change = isRenamed ? 'needed' : changeOf(pins, next);
    found.push({ id, file, pins, change, ...(isRenamed ? { identity: name } : {}) });
  }
  return found;
}
