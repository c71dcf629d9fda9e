import type { OperatingSystem } from '#sbom/inventory.ts';

/** Operating systems by the package URL type of their packages; names as in the ID of os-release(5). */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  deb: ['debian', 'ubuntu', 'raspbian', 'devuan', 'kali', 'linuxmint', 'pop', 'elementary', 'deepin', 'astra'],
  apk: ['alpine', 'wolfi', 'chainguard', 'postmarketos'],
  rpm: [
    'rhel',
    'centos',
    'fedora',
    'rocky',
    'almalinux',
    'ol',
    'amzn',
    'sles',
    'sled',
    'sle-micro',
    'suse',
    'opensuse',
    'opensuse-leap',
    'opensuse-tumbleweed',
    'mariner',
    'azurelinux',
    'photon',
    'openeuler',
    'mageia',
    'rhcos',
  ],
  alpm: ['arch', 'archarm', 'manjaro'],
};

/** The type of the packages that this system must have; undefined when the system is not known. */
export function packageTypeOf(system: OperatingSystem): string | undefined {
  for (const id of [system.id, ...system.idLike]) {
    const family = Object.entries(FAMILIES).find(([, ids]) => ids.includes(id));
    if (family) return family[0];
  }
  return undefined;
}

/**
 * Why an image that names an operating system cannot be said to hold nothing; undefined when its packages were read, or
 * when the system is not one that is known to have a package database.
 */
export function silentZero(system: OperatingSystem | undefined, packageTypes: ReadonlySet<string>): string | undefined {
  const type = system && packageTypeOf(system);
  if (!system || !type || packageTypes.has(type)) return undefined;
  const title = system.name ?? `${system.id} ${system.versionId ?? ''}`.trim();
  return `the image says that it is ${title}, and none of its ${type} packages could be read`;
}
