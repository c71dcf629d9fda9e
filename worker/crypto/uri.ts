/** RFC 3986, 3: scheme, authority, path; query and fragment are cut off before. */
const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/]*))?(.*)$/;
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
const HOST = /^(?:\[[^\]]*\]|[A-Za-z0-9\-_.~!$&'()*+,;=<>"]*)(?::[0-9]*)?$/;
const LOOSE_PERCENT = /%(?![0-9A-Fa-f]{2})/;

interface UriParts {
  readonly scheme: string;
  readonly userInfo: string;
  readonly authority: string;
  readonly path: string;
  readonly fragment: string;
}

function split(text: string): UriParts {
  const [beforeFragment = '', ...fragment] = text.split('#');
  const [beforeQuery = ''] = beforeFragment.split('?');
  const [, scheme = '', netloc = '', path = ''] = PARTS.exec(beforeQuery) ?? [];
  const at = netloc.lastIndexOf('@');
  return {
    scheme,
    userInfo: netloc.slice(0, Math.max(0, at)),
    authority: netloc.slice(at + 1),
    path,
    fragment: fragment.join('#'),
  };
}

/** Host and port of a URI; empty when it has none. */
export function uriAuthority(text: string): string {
  return split(text).authority;
}

/**
 * Whether a text is a URI or relative reference as Go's parser takes them. That is looser than RFC 3986 (a path may
 * hold spaces), but a certificate that it refuses is refused by cosign and Kyverno as a whole.
 */
export function isUri(text: string): boolean {
  if (/\p{Cc}/u.test(text)) return false;
  const { scheme, userInfo, authority, path, fragment } = split(text);
  if (!USER_INFO.test(userInfo) || !HOST.test(authority)) return false;
  if (LOOSE_PERCENT.test(userInfo) || LOOSE_PERCENT.test(fragment)) return false;
  const hierarchical = path.startsWith('/') || authority !== '' || path === '';
  if (!hierarchical && scheme !== '') return true;
  // Without a scheme, a colon in the first segment would be read as one.
  if (!hierarchical && path.split('/')[0]?.includes(':')) return false;
  return !LOOSE_PERCENT.test(path);
}
