/** What a call needs: the repository, and the actions on it as the registry names them. */
export interface Access {
  /** Empty where the list of all repositories is asked for. */
  readonly repository: string;
  readonly actions: 'pull' | 'pull,push' | 'delete' | 'catalog' | 'metadata_read';
  /** Another repository that is read in the same call: a blob of it is mounted. */
  readonly mountsFrom?: string;
}

const SCOPE = /^[a-z]+(?:\([a-z0-9]+\))?:[^\s]{1,512}:[a-z_*]+(?:,[a-z_*]+)*$/;
const MAX_SCOPES = 10;

/** `repository:team/app:pull` (Distribution token scope); two of them with a space between where two are needed. */
export function formatScope({ repository, actions, mountsFrom }: Access): string {
  if (actions === 'catalog') return 'registry:catalog:*';
  const own = `repository:${repository}:${actions}`;
  return mountsFrom === undefined ? own : `${own} repository:${mountsFrom}:pull`;
}

/**
 * The scopes to ask the token server for: ours and those that the challenge names, since some registries know a
 * repository by another path than their API does. Duplicates are left out, whatever the order of their actions.
 */
export function mergeScopes(access: Access, challenged: string | undefined): readonly string[] {
  const named = (challenged ?? '').split(' ').filter((scope) => SCOPE.test(scope));
  const scopes = [...formatScope(access).split(' '), ...named].map(normalise);
  return [...new Set(scopes)].slice(0, MAX_SCOPES);
}

function normalise(scope: string): string {
  const end = scope.lastIndexOf(':') + 1;
  return scope.slice(0, end) + [...new Set(scope.slice(end).split(','))].sort().join(',');
}
