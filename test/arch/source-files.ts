import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the project. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

export const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

export interface SourceFile {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** One import or re-export, type-only ones included. */
export interface Import {
  readonly specifier: string;
  readonly target:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'builtin'; readonly name: string }
    | { readonly kind: 'package'; readonly name: string };
}

const GENERATED = new Set(['node_modules', 'dist', '.attestry', '.git', 'fixtures']);

/** Every file below a folder, relative to the root; what is generated or recorded is left out. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (GENERATED.has(entry.name)) return [];
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** The TypeScript sources below some folders, with what they import. */
export function sourcesBelow(...folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap(filesBelow)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, imports: specifiers(text).map((specifier) => resolve(path, specifier)) };
    });
}

// The formatter keeps statements at the start of a line and specifiers in single quotes.
const STATEMENT = /^(?:import|export)\b[^;'"`]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'/g;

function specifiers(text: string): string[] {
  return [...text.matchAll(STATEMENT), ...text.matchAll(DYNAMIC)].map((match) => match[1] ?? match[2] ?? '');
}

function resolve(from: string, specifier: string): Import {
  if (specifier.startsWith('node:')) return { specifier, target: { kind: 'builtin', name: specifier.slice(5) } };
  if (specifier.startsWith('.')) {
    return { specifier, target: { kind: 'file', path: posix.join(dirname(from), specifier) } };
  }
  if (specifier.startsWith('#')) return { specifier, target: { kind: 'file', path: aliased(specifier) } };
  const parts = specifier.split('/');
  const name = specifier.startsWith('@') ? `${parts[0]}/${parts[1]}` : `${parts[0]}`;
  return { specifier, target: { kind: 'package', name } };
}

function aliased(specifier: string): string {
  const slash = specifier.indexOf('/');
  const pattern = MANIFEST.imports[`${specifier.slice(0, slash)}/*`];
  if (pattern === undefined) return `(no alias for ${specifier})`;
  return relative('.', pattern.replace('*', specifier.slice(slash + 1))).replaceAll(sep, '/');
}

/** Lines that hold code: neither blank nor only a comment. */
export function codeLines(text: string): number {
  const withoutBlocks = text.replace(/^\s*\/\*[\s\S]*?\*\/\s*$/gm, '');
  return withoutBlocks.split('\n').filter((line) => !/^\s*(?:\/\/.*)?$/.test(line)).length;
}
