/**
 * Builds the package: assembly/ to one wasm module embedded as base64 (only when a source changed),
 * then TypeScript to dist/.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const assembly = join(root, 'assembly');
const generated = join(root, 'src/kernels/generated');
const output = join(generated, 'wasm-module.ts');
// AS112 warns that a v128 cannot cross into JavaScript; here it only crosses between our own files.
const ascOptions =
  '--runtime stub -O3 --noAssert --enable simd --converge --disableWarning 112'.split(' ');

function sourceHash() {
  const hash = createHash('sha256').update(ascOptions.join(' '));
  for (const file of readdirSync(assembly).sort()) {
    if (file.endsWith('.ts')) hash.update(file).update(readFileSync(join(assembly, file)));
  }
  return hash.digest('hex');
}

function buildWasm() {
  const hash = sourceHash();
  if (existsSync(output) && readFileSync(output, 'utf8').includes(hash)) return;
  mkdirSync(generated, { recursive: true });
  const wasm = join(generated, 'kernels.wasm');
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');
  const entry = join(assembly, 'index.ts');
  const line = [asc, entry, ...ascOptions, '--outFile', wasm];
  const { status, stderr } = spawnSync(process.execPath, line, {
    cwd: root,
    encoding: 'utf8',
  });
  // Says "Last converge was suboptimal." of a module that is as good as the pass before: no news.
  const said = stderr.replace(/^Last converge was suboptimal\.\n/m, '');
  if (said !== '' || status !== 0) process.stderr.write(said);
  if (status !== 0) process.exit(1);
  const base64 = readFileSync(wasm).toString('base64');
  writeFileSync(
    output,
    `// Made from assembly/ by scripts/build.mjs; source hash ${hash}\nexport const wasmBase64 =\n  '${base64}';\n`,
  );
}

buildWasm();
const tsc = join(root, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit', cwd: root });
// Tests and benches, whose types come from dist/ in part; files that did not change are not checked again.
const memory = ['--incremental', '--tsBuildInfoFile', '.cache/types.tsbuildinfo'];
const types = [tsc, '-p', 'tsconfig.json', ...memory];
execFileSync(process.execPath, types, { stdio: 'inherit', cwd: root });
