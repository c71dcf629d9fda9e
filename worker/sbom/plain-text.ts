/** A foreign text made fit to print and to sign: well-formed Unicode, one line, no control characters, bounded. */
export function plainText(text: string, maxLength: number): string {
  // biome would read the class as a mistake, so it is written as a Unicode property: controls and line separators.
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return line.length > maxLength ? line.slice(0, maxLength).toWellFormed() : line;
}
