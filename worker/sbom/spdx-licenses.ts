/**
 * The SPDX identifiers that packages of the ecosystems read here declare by far the most. CycloneDX allows `id` and
 * `expression` for listed identifiers only; anything else stays a name, which is always true.
 */
export const KNOWN_SPDX_IDS: ReadonlySet<string> = new Set(
  [
    '0BSD AFL-2.1 AFL-3.0 AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-2.0',
    'BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent BSD-3-Clause BSD-3-Clause-Clear BSD-4-Clause BSL-1.0',
    'bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 CECILL-2.1 CNRI-Python curl',
    'ECL-2.0 EFL-2.0 EPL-1.0 EPL-2.0 EUPL-1.2 FTL GPL-1.0-or-later GPL-2.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0',
    'GPL-3.0-only GPL-3.0-or-later HPND ICU IJG ISC JSON LGPL-2.0-or-later LGPL-2.1 LGPL-2.1-only LGPL-2.1-or-later',
    'LGPL-3.0 LGPL-3.0-only LGPL-3.0-or-later Libpng LPPL-1.3c MIT MIT-0 MPL-1.1 MPL-2.0 MS-PL MulanPSL-2.0 NCSA',
    'OFL-1.1 OpenSSL OSL-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 Ruby SISSL Sleepycat Unicode-3.0',
    'Unicode-DFS-2016 Unlicense UPL-1.0 Vim W3C W3C-20150513 WTFPL X11 Zlib ZPL-2.1 Zend-2.0',
  ].flatMap((line) => line.split(' ')),
);

export type DeclaredLicense =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'expression'; readonly expression: string }
  | { readonly kind: 'name'; readonly name: string };

/** What a declared licence text is (SPDX 2.3, annex D for expressions). */
export function readLicense(text: string): DeclaredLicense {
  if (KNOWN_SPDX_IDS.has(text)) return { kind: 'id', id: text };
  return isExpression(text) ? { kind: 'expression', expression: text } : { kind: 'name', name: text };
}

/** `id (AND|OR id)*` with balanced parentheses, every id a known one. */
function isExpression(text: string): boolean {
  let depth = 0;
  let wantsOperand = true;
  for (const token of text.match(/[()]|[^\s()]+/g) ?? []) {
    if (token === '(') {
      if (!wantsOperand) return false;
      depth++;
    } else if (token === ')') {
      if (wantsOperand || --depth < 0) return false;
    } else if (token === 'AND' || token === 'OR') {
      if (wantsOperand) return false;
      wantsOperand = true;
    } else {
      if (!wantsOperand || !KNOWN_SPDX_IDS.has(token.replace(/\+$/, ''))) return false;
      wantsOperand = false;
    }
  }
  return depth === 0 && !wantsOperand;
}
