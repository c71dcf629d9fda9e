import type { ExplainedDelivery } from '#cli/hooks/explain-delivery.ts';

/** An explanation in lines for people. */
export function describeExplained({ explanation, messages }: ExplainedDelivery): string {
  const { sender, authentication, response, enqueue, skipped } = explanation;
  const lines = [
    `${sender}: authentication ${authentication}, answer ${response}`,
    ...enqueue.map(({ from, ref }) => `  enqueue  ${from}  ${ref}`),
    ...skipped.map(({ from, reason }, index) => `  skip     ${from}  ${reason}: ${messages[index]}`),
  ];
  return `${lines.join('\n')}\n`;
}
