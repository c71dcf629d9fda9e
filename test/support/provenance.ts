/** `builder.id` of provenance of either version. */
export function builderOf(statement: { readonly predicate: Readonly<Record<string, unknown>> }): unknown {
  const { runDetails, builder } = statement.predicate as {
    runDetails?: { builder: { id: string } };
    builder?: { id: string };
  };
  return (runDetails?.builder ?? builder)?.id;
}
