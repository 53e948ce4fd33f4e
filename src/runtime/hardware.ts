import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

/** The machine, as far as the operating system tells. */
export interface Hardware {
  readonly os: string;
  readonly arch: string;
  readonly cpu: string;
  /** Instruction sets that matter to inference, by the names of this system; empty when unknown. */
  readonly cpuFeatures: readonly string[];
  /** Cores that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  /** What a container allows this process, when that is less than the machine has. */
  readonly memoryLimitBytes: number | undefined;
}

/** Vector and matrix instructions that llama.cpp has kernels for. */
const usefulFeatures = new Set(
  [
    'sse3 ssse3 sse4_2 avx avx2 avx_vnni f16c fma bmi2 avx512f avx512_bf16 avx512_vbmi avx512_vnni',
    'avx512_fp16 amx_tile amx_int8 amx_bf16 asimd asimddp asimdhp bf16 i8mm sve sve2 sme',
    'FEAT_DotProd FEAT_I8MM FEAT_BF16 FEAT_SME FEAT_FP16',
  ]
    .join(' ')
    .split(' '),
);

/** Describes this machine; what cannot be found out is left empty, nothing is guessed. */
export async function describeHardware(): Promise<Hardware> {
  const memoryBytes = totalmem();
  return {
    os: `${platform()} ${release()}`,
    arch: arch(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpuFeatures: (await allFeatures()).filter((feature) => usefulFeatures.has(feature)),
    cores: availableParallelism(),
    memoryBytes,
    freeMemoryBytes: freemem(),
    memoryLimitBytes: await containerLimit(memoryBytes),
  };
}

async function allFeatures(): Promise<readonly string[]> {
  if (platform() === 'linux') return parseCpuInfo(await textOf('/proc/cpuinfo'));
  if (platform() === 'darwin') return parseSysctl(await outputOf('sysctl', ['-a', 'hw.optional']));
  return [];
}

/** Features in Linux' /proc/cpuinfo: `flags` on x86, `Features` on ARM. */
export function parseCpuInfo(text: string): string[] {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1] ?? '';
  return line.split(/\s+/).filter(Boolean);
}

/** Features that macOS' `sysctl hw.optional` reports as present. */
export function parseSysctl(text: string): string[] {
  return [...text.matchAll(/^hw\.optional\.(?:arm\.)?(\w+): 1$/gm)].map((match) => match[1]!);
}

async function containerLimit(memoryBytes: number): Promise<number | undefined> {
  const files = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];
  const texts = platform() === 'linux' ? await Promise.all(files.map(textOf)) : [];
  return texts.map((text) => parseCgroupLimit(text, memoryBytes)).find(Boolean);
}

/** A cgroup's memory limit in bytes; undefined when there is none below the machine's memory. */
export function parseCgroupLimit(text: string, memoryBytes: number): number | undefined {
  const bytes = /^\d+$/.test(text.trim()) ? Number(text) : Infinity;
  return bytes < memoryBytes ? bytes : undefined;
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function outputOf(file: string, args: readonly string[]): Promise<string> {
  return promisify(execFile)(file, [...args], { timeout: 5000 }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
