// Runs under Node 24: node make-dist.mjs ROOT writes ROOT/dist.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';

const ROOMS = ['worker', 'producer', 'config'];

const root = process.argv[2];
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
const sources = ROOMS.flatMap((room) => filesBelow(room)).filter((path) => path.endsWith('.ts'));
for (const path of sources) {
  const target = join(dist, path.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, stripTypeScriptTypes(readFileSync(join(root, path), 'utf8'), { mode: 'strip' }));
}
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(distManifest(), undefined, 2)}\n`);
process.stderr.write(`attestry: dist/ holds ${sources.length} modules\n`);

/**
 * The sources name each other by alias and `.ts`. This manifest, nearest to the modules, leads the same names to the
 * JavaScript beside it, so that no import is rewritten and a stack trace shows the line of the source.
 */
function distManifest() {
  const { version, imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const aliases = Object.entries(imports).map(([alias, target]) => [
    alias.replace('*', '*.ts'),
    target.replace('*', '*.js'),
  ]);
  return { private: true, version, type: 'module', imports: Object.fromEntries(aliases) };
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
