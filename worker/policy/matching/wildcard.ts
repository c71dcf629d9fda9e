/**
 * Wildcard match as Kyverno does it (interop specification B.1): `*` any run, empty and with any character in it, `?`
 * exactly one code point, everything else literal; whole string, case-sensitive. The empty pattern matches the empty
 * text only. Time is at most the product of the lengths: no pattern of an attacker makes it explode.
 */
export function wildcardMatches(pattern: string, text: string): boolean {
  const wanted = Array.from(pattern);
  const given = Array.from(text);
  let p = 0;
  let t = 0;
  // Where to go on when a literal fails: behind the last star, one code point further in the text.
  let starPattern = -1;
  let starText = 0;
  while (t < given.length) {
    if (wanted[p] === '*') {
      starPattern = p++;
      starText = t;
    } else if (p < wanted.length && (wanted[p] === '?' || wanted[p] === given[t])) {
      p++;
      t++;
    } else if (starPattern >= 0) {
      p = starPattern + 1;
      t = ++starText;
    } else {
      return false;
    }
  }
  while (wanted[p] === '*') p++;
  return p === wanted.length;
}

export function wildcardMatchesAny(patterns: readonly string[], text: string): boolean {
  return patterns.some((pattern) => wildcardMatches(pattern, text));
}
