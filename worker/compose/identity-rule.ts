import { AppError } from '#model/errors.ts';
import { compileRegexp } from '#policy/regexp/regexp.ts';
import type { IdentityOptions } from '#trust/options.ts';
import { exactly, type IdentityRule, type TextRule } from '#verification/attestor.ts';

/**
 * What a trust asks of the certificate's names.
 * @param field where it is configured, for messages
 * @throws AppError `config-invalid` for an expression that is none.
 */
export function identityRule(options: IdentityOptions | undefined, field: string): IdentityRule | undefined {
  if (!options) return undefined;
  const subject = textRule(options.subject, options.subjectRegExp, `${field}.subjectRegExp`);
  const issuer = textRule(options.issuer, options.issuerRegExp, `${field}.issuerRegExp`);
  if (!subject && !issuer) return undefined;
  return { ...(subject ? { subject } : {}), ...(issuer ? { issuer } : {}) };
}

function textRule(text: string | undefined, source: string | undefined, field: string): TextRule | undefined {
  if (text !== undefined) return exactly(text);
  return source === undefined ? undefined : wholly(source, field);
}

/** The whole text must match: part of it proves nothing, for anybody may get a name that holds another's. */
function wholly(source: string, field: string): TextRule {
  const alone = compileRegexp(source);
  const whole = alone.kind === 'usable' ? compileRegexp(`^(?:${source})$`) : alone;
  if (whole.kind === 'usable') return { wanted: `/${source}/`, matches: whole.matches };
  throw new AppError('config-invalid', `${field}: ${whole.problem}`, {
    field,
    mend: 'write a regular expression as RE2 has it (no look-around, no back-references), or the exact text',
  });
}
