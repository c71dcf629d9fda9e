import type { Path, Trap } from '#policy/lint/finding.ts';
import { member, textOf } from '#policy/lint/members.ts';
import { compileRegexp } from '#policy/regexp/regexp.ts';

const EXPRESSIONS = ['subjectRegExp', 'issuerRegExp'] as const;
const EXTENSION =
  /^(?:oidcIssuer|githubWorkflow(?:Trigger|Sha|Name|Repository|Ref)|1\.3\.6\.1\.4\.1\.57264\.1\.[1-6])$/;

/** Regular expressions of an identity that are none, or that match anywhere in a text. */
export function expressionTraps(identity: unknown, path: Path): readonly Trap[] {
  return EXPRESSIONS.flatMap((name): readonly Trap[] => {
    const source = textOf(member(identity, name));
    if (source === '' || source.includes('{{')) return [];
    const compiled = compileRegexp(source);
    const at = [...path, name];
    if (compiled.kind === 'invalid') return [{ code: 'expression-invalid', path: at, found: compiled.problem }];
    return isAnchored(source) ? [] : [{ code: 'expression-not-anchored', path: at, found: source }];
  });
}

/** What anybody can match is said by the whole text, so that anchors would add nothing. */
function isAnchored(source: string): boolean {
  const starts = /^(?:\(\?[a-z]+\))?(?:\^|\\A|\.\*)/.test(source);
  const ends = /(?:(?<!\\)\$|\\z|\.\*)$/.test(source);
  return starts && ends && !hasBareAlternative(source);
}

/** `^a|b$` anchors each half on one side only. */
function hasBareAlternative(source: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const character = source[at];
    if (character === '\\') at++;
    else if (inClass) inClass = character !== ']';
    else if (character === '[') inClass = true;
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === '|' && depth === 0) return true;
  }
  return false;
}

/** Traps of `keyless` in the type Cosign. */
export function keylessTraps(keyless: unknown, path: Path): readonly Trap[] {
  const names = ['subject', 'issuer', ...EXPRESSIONS];
  const isNamed = names.some((name) => textOf(member(keyless, name)) !== '');
  const extensions = Object.keys(Object(member(keyless, 'additionalExtensions') ?? {}));
  const asked = extensions.length > 0;
  const unknown = extensions.filter((name) => !EXTENSION.test(name));
  return [
    ...(isNamed || asked ? [] : [{ code: 'any-identity', path } as const]),
    ...unknown.map((name) => {
      const at = [...path, 'additionalExtensions', name];
      return { code: 'unknown-extension', path: at, found: name } as const;
    }),
    ...expressionTraps(keyless, path),
  ];
}
