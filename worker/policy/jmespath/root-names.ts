import { childrenOf, type ExpressionNode } from '#policy/jmespath/parse-expression.ts';

/** What an expression asks of the document that it is evaluated over. */
export interface RootUse {
  /** Members of the document that it may read. */
  readonly names: ReadonlySet<string>;
  /** It takes the whole document (`@`, `*`), not only named members. */
  readonly whole: boolean;
}

/** The members that an expression reads directly off the document. */
export function rootUse(node: ExpressionNode): RootUse {
  const names = new Set<string>();
  let whole = false;
  function visit(at: ExpressionNode): void {
    switch (at.type) {
      case 'Field':
        names.add(at.name);
        return;
      case 'Current':
        whole = true;
        return;
      case 'Subexpression':
      case 'IndexExpression':
      case 'Pipe':
      case 'Projection':
        // The right side is evaluated over the result of the left, not over the document.
        visit(at.left);
        return;
      case 'FilterProjection':
        visit(at.left);
        return;
      case 'ValueProjection':
        if (at.left.type === 'Identity') whole = true;
        visit(at.left);
        return;
      case 'ExpressionReference':
        return;
      default:
        for (const child of childrenOf(at)) visit(child);
    }
  }
  visit(node);
  return { names, whole };
}
