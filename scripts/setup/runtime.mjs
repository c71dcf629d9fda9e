import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * The Node releases that run Attestry: 24 from 24.15 on (the floor that sigstore 5 sets), and 26 or newer. 25 is
 * missing on purpose: sigstore leaves it out.
 */
export function isSuitableNode(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return (major === 24 && minor >= 15) || major >= 26;
}

/** The Node binary that the locked packages brought, or undefined: this platform has none, or it is not installed. */
export function bundledNode(root) {
  const name = `node-${process.platform}-${process.arch}`;
  const inClone = join(root, 'node_modules', name, 'bin', 'node');
  if (existsSync(inClone)) return inClone;
  try {
    // An installed package finds it where npm hoisted it to.
    const manifest = createRequire(join(root, 'package.json')).resolve(`${name}/package.json`);
    const hoisted = join(manifest, '..', 'bin', 'node');
    return existsSync(hoisted) ? hoisted : undefined;
  } catch {
    return undefined;
  }
}

/** The Node to run with: this very process when it is new enough, else the bundled one. */
export function findNode(root) {
  return isSuitableNode(process.version) ? process.execPath : bundledNode(root);
}
