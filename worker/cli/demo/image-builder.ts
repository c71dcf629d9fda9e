import {
  architectureIndependent,
  dpkgItems,
  readDpkgDatabase,
  readNodeApplication,
  tarItems,
} from '#cli/demo/host-software.ts';
import { type BuiltImage, type BuiltLayer, buildImage, buildIndex, buildLayer } from '#cli/demo/image-writer.ts';
import type { Platform } from '#model/descriptor.ts';

export interface DemoImageSource {
  /** Root of the machine whose package database is taken; `/` for this one. */
  readonly root: string;
  /** Folder of a Node application with its node_modules. */
  readonly application: string;
}

/** The application's place in the image. */
const APPLICATION = 'srv/app';

/**
 * A real index of two platforms, built from software that is on this machine: one layer with its dpkg database, one
 * with a Node application. The arm64 image has the packages that hold on any architecture. Equal machines give equal
 * bytes: nothing in it tells when it was built.
 */
export async function buildDemoImage({ root, application }: DemoImageSource): Promise<BuiltImage> {
  const database = await readDpkgDatabase(root);
  const files = await readNodeApplication(application);
  const app = await buildLayer(tarItems(files.map(({ path, bytes }) => ({ path: `${APPLICATION}/${path}`, bytes }))));
  const system = await buildLayer(dpkgItems(database));
  const portable = await buildLayer(dpkgItems(architectureIndependent(database)));
  return buildIndex([
    platformImage({ os: 'linux', architecture: 'amd64' }, [system, app]),
    platformImage({ os: 'linux', architecture: 'arm64', variant: 'v8' }, [portable, app]),
  ]);
}

function platformImage(platform: Platform, layers: readonly BuiltLayer[]): BuiltImage {
  const labels = {
    'org.opencontainers.image.title': 'attestry demonstration',
    'org.opencontainers.image.description': 'The package database of this machine and a Node application',
  };
  return buildImage({ layers, platform, labels });
}
