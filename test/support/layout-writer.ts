import { sha256 } from '#model/digest.ts';
import { createLayoutTarget } from '#oci/layout-directory.ts';
import { pushReferrer } from './referrers.ts';

/** A process of its own that writes to a layout folder: `node layout-writer.ts DIR NAME COUNT`. */
const [, , dir = '', name = '', count = '0'] = process.argv;
const target = createLayoutTarget(dir);
for (let at = 0; at < Number(count); at++) await pushReferrer(target, 'team/app', sha256('an image'), `${name} ${at}`);
