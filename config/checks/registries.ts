import type { Draft } from '#config/draft.ts';
import type { Finding, Path } from '#config/problem.ts';
import { suggestion } from '#config/suggest.ts';
import { parseRepositoryRef } from '#model/image-ref.ts';

/** Every host belongs to one registry: a name or alias said twice would make two subjects of one image. */
export function checkRegistryNames({ entries }: Draft): Finding[] {
  const taken = new Map<string, string>();
  return entries.registries.flatMap(({ path, value }) => {
    const hosts = [
      { host: value.name, at: [...path, 'name'] },
      ...value.aliases.map((host, index) => ({ host, at: [...path, 'aliases', index] })),
    ];
    return hosts.flatMap(({ host, at }): Finding[] => {
      const owner = taken.get(host);
      taken.set(host, owner ?? value.id);
      if (owner === undefined) return [];
      const message = owner === value.id ? `${host} is written twice` : `${host} already belongs to "${owner}"`;
      return [{ severity: 'error', path: at, message, mend: 'let each name and alias belong to one registry' }];
    });
  });
}

/** Two registries that are dialled at one address are one registry: each image in it would be two subjects. */
export function checkRegistryAddresses({ entries }: Draft): Finding[] {
  const dialled = new Map<string, string>();
  return entries.registries.flatMap(({ path, value }): Finding[] => {
    const address = value.address ?? value.name;
    const owner = dialled.get(address);
    dialled.set(address, owner ?? value.id);
    if (owner === undefined || owner === value.id) return [];
    return [
      {
        severity: 'warning',
        path: [...path, value.address === undefined ? 'name' : 'address'],
        message: `"${owner}" is dialled at ${address} too, so each image there is looked at twice`,
        mend: `make ${value.name} an alias of "${owner}"`,
      },
    ];
  });
}

/** Evidence goes only to registries that are configured. */
export function checkEvidenceRepositories({ entries }: Draft): Finding[] {
  const known = entries.registries.flatMap(({ value }) => [value.name, ...value.aliases]);
  const names = entries.registries.map(({ value }) => value.name);
  return entries.rules.flatMap(({ path, value }) => {
    return value.evidence.flatMap(({ repository }, index): Finding[] => {
      if (repository === undefined) return [];
      const { registry } = parseRepositoryRef(repository);
      if (known.includes(registry)) return [];
      const at: Path = [...path, 'evidence', index, 'repository'];
      const mend = `${suggestion(registry, names)}; evidence is only written to configured registries`;
      return [{ severity: 'error', path: at, message: `the registry ${registry} is not configured`, mend }];
    });
  });
}

/** Evidence is copied from configured registries only. A pattern with a wildcard in the registry names none. */
export function checkPromotions({ entries }: Draft): Finding[] {
  const known = entries.registries.flatMap(({ value }) => [value.name, ...value.aliases]);
  const names = entries.registries.map(({ value }) => value.name);
  return entries.rules.flatMap(({ path, value }) => {
    return value.evidence.flatMap(({ promote }, index) => {
      return (promote?.from ?? []).flatMap((pattern, at): Finding[] => {
        const [registry = '', ...rest] = pattern.split('/');
        const where: Path = [...path, 'evidence', index, 'promote', 'from', at];
        if (rest.length === 0 && pattern !== '**') {
          const mend = 'write registry/path, or patterns such as registry.example.com/staging/**';
          return [{ severity: 'error', path: where, message: `"${pattern}" names no repository`, mend }];
        }
        if (registry.includes('*') || known.includes(registry)) return [];
        const mend = `${suggestion(registry, names)}; evidence is only read in configured registries`;
        return [{ severity: 'error', path: where, message: `the registry ${registry} is not configured`, mend }];
      });
    });
  });
}
