/**
 * Packs the package, installs the tarball into an empty folder as a user would (scripts off, no
 * optional dependencies) and imports every export; then lets publint look at the manifest.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const scratch = mkdtempSync(join(tmpdir(), 'pith-package-'));
const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  run('node', ['scripts/build.mjs'], root);
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', scratch], root));
  const names = packed.files.map(({ path }) => path);
  for (const needed of [
    'dist/cli/index.js',
    'models/sample/model.safetensors',
    'factors/energy.json',
    'calibration/prose.txt',
    'tasks/arc.yaml',
    'LICENSE',
    'NOTICE',
  ])
    if (!names.includes(needed)) throw new Error(`the package lacks ${needed}`);
  const stray = names.filter((name) => /\.(test|cases)\.|^src\/|^test\//.test(name));
  if (stray.length > 0) throw new Error(`the package carries ${stray.join(', ')}`);

  writeFileSync(join(scratch, 'package.json'), '{ "private": true, "type": "module" }');
  const tarball = join(scratch, packed.filename);
  run('npm', ['install', '--silent', '--ignore-scripts', '--omit=optional', tarball], scratch);
  for (const path of Object.keys(manifest.exports).filter((key) => !key.endsWith('.json'))) {
    const name = path.replace('.', manifest.name);
    const code = `import('${name}').then((m) => console.log(Object.keys(m).length))`;
    const exported = Number(run('node', ['-e', code], scratch));
    if (!(exported > 0)) throw new Error(`${name} exports nothing`);
    console.log(`${name}: ${exported} exports`);
  }
  console.log(run('npx', ['pith', '--version'], scratch).trim());
  run('npx', ['pith', 'quantize', 'sample', '--type', 'Q4_K_M', '-o', 'model.gguf', '-q'], scratch);
  console.log(run('npx', ['publint', '--strict'], root).trim());
  console.log(`package: ${names.length} files, ${packed.size} bytes packed`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
