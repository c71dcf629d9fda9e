/**
 * Runs a task for each item, a bounded number at a time and in order of groups. All of a group have ended when this
 * returns or throws, so that nothing runs on behind an answer that was already given.
 */
export async function inFlight<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  task: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += atOnce) {
    const group = await Promise.allSettled(items.slice(start, start + atOnce).map(task));
    for (const one of group) {
      if (one.status === 'rejected') throw one.reason;
      results.push(one.value);
    }
  }
  return results;
}
