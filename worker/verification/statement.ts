import type { EvidenceDefect, Statement } from '#model/evidence.ts';
import { STATEMENT_V1, STATEMENT_V01 } from '#model/media-types.ts';
import { parseStrictJson, type StrictJson } from '#verification/strict-json.ts';

/** `compat` reads as Kyverno 1.19.1 (cosign 3.1) reads a legacy attestation, `strict` as the in-toto specification says. */
export type Profile = 'compat' | 'strict';

export type StatementReading =
  | { readonly ok: true; readonly statement: Statement }
  | { readonly ok: false; readonly defect: EvidenceDefect };

type Members = Readonly<Record<string, unknown>>;

/**
 * Spellings that the JSON form of the statement's protobuf schema allows, each with its field. At the top, where readers
 * differ on them, the proto spellings are read in `compat` only; two spellings of one field are a duplicate.
 */
const STATEMENT_FIELDS: Readonly<Record<string, string>> = {
  _type: '_type',
  type: '_type',
  subject: 'subject',
  predicateType: 'predicateType',
  predicate_type: 'predicateType',
  predicate: 'predicate',
};
const SUBJECT_FIELDS: Readonly<Record<string, string>> = {
  name: 'name',
  uri: 'uri',
  digest: 'digest',
  content: 'content',
  downloadLocation: 'downloadLocation',
  download_location: 'downloadLocation',
  mediaType: 'mediaType',
  media_type: 'mediaType',
  annotations: 'annotations',
};

/**
 * Reads a DSSE payload as an in-toto Statement, on its raw bytes and before any use (interop specification D.3, K.2).
 * Unknown members at the top or in a subject, duplicates anywhere and malformed text make it no statement.
 */
export function parseStatement(payload: Uint8Array, profile: Profile): StatementReading {
  const json: StrictJson = parseStrictJson(payload);
  if (!json.ok) return malformed(`the payload cannot be read: ${json.problem}`);
  if (!isObject(json.value)) return malformed('the payload is not a JSON object');
  const problem =
    fieldProblem(json.value, STATEMENT_FIELDS, 'the statement') ??
    spellingProblem(json.value, profile) ??
    headerProblem(json.value, profile) ??
    subjectsProblem(json.value.subject) ??
    predicateProblem(json.value.predicate, profile);
  if (problem !== undefined) return malformed(problem);
  return { ok: true, statement: toStatement(json.value) };
}

/** The statement of a payload by the strict reading; undefined when it is none. */
export function readStatement(payload: Uint8Array): Statement | undefined {
  const reading = parseStatement(payload, 'strict');
  return reading.ok ? reading.statement : undefined;
}

function headerProblem(top: Members, profile: Profile): string | undefined {
  const type = top._type ?? top.type;
  const predicateType = top.predicateType ?? top.predicate_type;
  if (!isTextOrAbsent(type)) return '_type is not a string';
  if (!isTextOrAbsent(predicateType)) return 'predicateType is not a string';
  if (profile === 'compat') return undefined;
  if (type !== STATEMENT_V1 && type !== STATEMENT_V01) return `_type ${quoted(type)} is not that of a Statement`;
  return predicateType ? undefined : 'predicateType is missing';
}

function spellingProblem(top: Members, profile: Profile): string | undefined {
  const other = Object.keys(top).find((name) => STATEMENT_FIELDS[name] !== name);
  return other === undefined || profile === 'compat' ? undefined : `the statement spells a member ${quoted(other)}`;
}

function subjectsProblem(subject: unknown): string | undefined {
  if (subject === undefined || subject === null) return undefined;
  if (!Array.isArray(subject)) return 'subject is not a list';
  for (const [index, entry] of subject.entries()) {
    const where = `subject[${index}]`;
    if (!isObject(entry)) return `${where} is not an object`;
    const problem = fieldProblem(entry, SUBJECT_FIELDS, where) ?? descriptorProblem(entry, where);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function descriptorProblem(entry: Members, where: string): string | undefined {
  const { digest, annotations } = entry;
  for (const [name, value] of Object.entries(entry)) {
    if (name !== 'digest' && name !== 'annotations' && !isTextOrAbsent(value))
      return `${where}.${name} is not a string`;
  }
  if (annotations !== undefined && annotations !== null && !isObject(annotations)) {
    return `${where}.annotations is not an object`;
  }
  if (digest === undefined || digest === null) return undefined;
  if (!isObject(digest)) return `${where}.digest is not an object`;
  const wrong = Object.entries(digest).find(([, value]) => typeof value !== 'string');
  return wrong ? `${where}.digest.${wrong[0]} is not a string` : undefined;
}

/** A string predicate is SPDX tag-value: the tools read such a statement leniently, every other shape is refused. */
function predicateProblem(predicate: unknown, profile: Profile): string | undefined {
  if (typeof predicate === 'string' || isObject(predicate)) return undefined;
  if (predicate !== undefined && predicate !== null) return 'predicate is neither an object nor a string';
  return profile === 'strict' ? 'predicate is missing' : undefined;
}

function fieldProblem(members: Members, fields: Readonly<Record<string, string>>, where: string): string | undefined {
  const seen = new Set<string>();
  for (const name of Object.keys(members)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) {
      return `${where} has a member ${quoted(name)} that its schema does not know`;
    }
    if (seen.has(field)) return `${where} has ${quoted(field)} twice in two spellings`;
    seen.add(field);
  }
  return undefined;
}

/** `predicate_type` passes the schema, but no verifier that matches by type reads it: the type is then empty. */
function toStatement(top: Members): Statement {
  const subjects = Array.isArray(top.subject) ? top.subject.filter(isObject) : [];
  return {
    _type: text(top._type ?? top.type),
    subject: subjects.map(({ name, digest, annotations }) => ({
      ...(typeof name === 'string' ? { name } : {}),
      digest: digestsOf(digest),
      ...(isObject(annotations) ? { annotations } : {}),
    })),
    predicateType: text(top.predicateType),
    ...(top.predicate === undefined ? {} : { predicate: top.predicate }),
  };
}

function digestsOf(digest: unknown): Record<string, string> {
  if (!isObject(digest)) return {};
  return Object.fromEntries(
    Object.entries(digest).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function quoted(value: unknown): string {
  return JSON.stringify(String(value ?? '').slice(0, 120));
}

function malformed(message: string): StatementReading {
  return { ok: false, defect: { code: 'statement-malformed', message } };
}
