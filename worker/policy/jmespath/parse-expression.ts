import { compile } from '@jmespath-community/jmespath';
import { unsupported } from '#policy/unsupported.ts';

/** A parsed expression, of the nodes that Kyverno's JMESPath has too. */
export type ExpressionNode = ReturnType<typeof compile>;

const MAX_LENGTH = 4096;
const MAX_CACHED = 500;
const parsed = new Map<string, ExpressionNode>();

/** Nodes of the community's grammar that Kyverno's parser refuses or reads otherwise. */
const FOREIGN: ReadonlySet<string> = new Set([
  'Arithmetic',
  'Unary',
  'Ternary',
  'LetExpression',
  'Binding',
  'Variable',
  'Root',
]);

/**
 * Parses an expression as it stands between `{{` and `}}`. Parsers differ at the rim of the grammar; what this one
 * takes and Kyverno's may not is refused by name.
 * @throws AppError `policy-unsupported`.
 */
export function parseExpression(text: string): ExpressionNode {
  const known = parsed.get(text);
  if (known) return known;
  const shown = JSON.stringify(text.slice(0, 120));
  if (text.length > MAX_LENGTH) throw unsupported(`an expression of more than ${MAX_LENGTH} characters`);
  if (text.includes('\\\\')) throw unsupported(`the expression ${shown}, for its doubled backslash`);
  if (!quotesAreClosed(text)) throw unsupported(`the expression ${shown}, for a quote that is not closed`);
  const node = parse(text, shown);
  for (const { type } of nodesOf(node)) {
    if (FOREIGN.has(type)) throw unsupported(`the expression ${shown}, which Kyverno's JMESPath cannot parse`);
  }
  if (parsed.size >= MAX_CACHED) parsed.clear();
  parsed.set(text, node);
  return node;
}

function parse(text: string, shown: string): ExpressionNode {
  try {
    return compile(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw unsupported(`the expression ${shown}: ${why.slice(0, 200)}`);
  }
}

/** The parser behind `compile` takes a text without its closing quote. */
function quotesAreClosed(text: string): boolean {
  let open = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (open !== '' && character === '\\') at++;
    else if (open === character) open = '';
    else if (open === '' && /["'`]/.test(character)) open = character;
  }
  return open === '';
}

/** A node and all below it. */
export function nodesOf(node: ExpressionNode): readonly ExpressionNode[] {
  return [node, ...childrenOf(node).flatMap(nodesOf)];
}

/** The expressions directly below a node, whatever it calls them. */
export function childrenOf(node: ExpressionNode): readonly ExpressionNode[] {
  return Object.values(node).flatMap((member: unknown) => {
    if (Array.isArray(member)) return member.filter(isNode).map(unwrapPair);
    return isNode(member) ? [unwrapPair(member)] : [];
  });
}

type Pair = { readonly type: 'KeyValuePair'; readonly value: ExpressionNode };

function unwrapPair(node: ExpressionNode | Pair): ExpressionNode {
  return node.type === 'KeyValuePair' ? node.value : node;
}

function isNode(member: unknown): member is ExpressionNode | Pair {
  return typeof member === 'object' && member !== null && 'type' in member && typeof member.type === 'string';
}
