/** Docker Hub by the names under which it is written and dialled; it takes `namespace/name` alone. */
const PATH_LEVELS: Readonly<Record<string, number>> = {
  'docker.io': 2,
  'index.docker.io': 2,
  'registry-1.docker.io': 2,
};

/** The most levels that a registry's repository paths may have, by its host; undefined: no limit is known. */
export function pathLevels(host: string): number | undefined {
  return PATH_LEVELS[host.toLowerCase()];
}

export interface PathProblem {
  readonly message: string;
  /** A path that the registry takes. */
  readonly flat: string;
}

/** Why a registry can never hold this repository; undefined when nothing is known against it. */
export function pathProblem(host: string, repository: string): PathProblem | undefined {
  const most = pathLevels(host);
  const parts = repository.split('/');
  if (most === undefined || parts.length <= most) return undefined;
  const flat = [...parts.slice(0, most - 1), parts.slice(most - 1).join('-')].join('/');
  return { message: `${host} takes repository paths of ${most} levels, and ${repository} has ${parts.length}`, flat };
}
