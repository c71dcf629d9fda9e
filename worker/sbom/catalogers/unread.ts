import type { Cataloger } from '#sbom/cataloger.ts';

/**
 * Evidence of ecosystems that no cataloger reads yet: an inventory that passes over it must not call itself complete. A
 * pattern leaves this list when its cataloger joins.
 */
const UNREAD: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'apk databases', pattern: /^(?:lib|usr\/lib)\/apk\/db\/installed$/ },
  {
    what: 'rpm databases',
    pattern: /^(?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/(?:rpmdb\.sqlite|Packages|Packages\.db)$/,
  },
  { what: 'pacman databases', pattern: /^var\/lib\/pacman\/local\/[^/]+\/desc$/ },
  { what: 'Java archives', pattern: /\.(?:jar|war|ear|jpi|hpi)$/ },
  { what: 'Ruby gems', pattern: /\/specifications\/(?:default\/)?[^/]+\.gemspec$/ },
  { what: 'Composer packages', pattern: /(?:^|\/)vendor\/composer\/installed\.json$/ },
  { what: '.NET packages', pattern: /\.deps\.json$/ },
  { what: 'conda packages', pattern: /\/conda-meta\/[^/]+\.json$/ },
];

export const unread: Cataloger = {
  id: 'unread',
  version: 1,
  maxBytes: Number.MAX_SAFE_INTEGER,
  reads: 'name',
  wants: ({ path }) => UNREAD.some(({ pattern }) => pattern.test(path)),
  parse: (path) => UNREAD.filter(({ pattern }) => pattern.test(path)).map(({ what }) => ({ kind: 'unread', what })),
};
