import process from 'node:process';
import { createWasmKernels } from '../kernels/wasm.ts';
import { measureBandwidth, type Bandwidth } from '../runtime/bandwidth.ts';
import { describeHardware, type Hardware } from '../runtime/hardware.ts';
import { llamaLibraryVersion } from '../runtime/llama-library.ts';
import { onnxRuntimeInstall } from '../runtime/onnx/library.ts';
import { probeEngines, type EngineReport } from '../runtime/probe.ts';
import { defineCommand } from './framework/command.ts';
import { formatBytes, threeDigits } from '../util/format-units.ts';
import { formatTable } from './terminal/table.ts';

/** One thing that was looked at; `needed` ones decide about the exit code. */
interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly needed: boolean;
  readonly detail: string;
  /** The next step, when it is not ok. */
  readonly hint?: string;
}

interface DoctorReport {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly hardware: Hardware;
  readonly bandwidth: Bandwidth;
  readonly engines: readonly EngineReport[];
  /** Tokens/s that memory allows at most, by bytes of the model that a token reads. */
  readonly decodeCeiling: readonly {
    readonly modelBytes: number;
    readonly tokensPerSecond: number;
  }[];
}

const oldestNode = [20, 19] as const;
const ceilingModels = [0.5e9, 1e9, 4e9];

/** `pith doctor`: what this machine has, measures and can load. */
export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Check this machine: Node, CPU, memory speed, engines.',
  description:
    'Measures memory for half a second and loads every engine in a process of its own.\n' +
    'Exit code 1 only when something that Pith needs does not work.',
  examples: ['pith doctor', 'pith doctor --json'],
  positionals: {},
  options: {},
  async run(): Promise<DoctorReport> {
    const hardware = await describeHardware();
    const bandwidth = await measureBandwidth();
    const engines = await probeEngines();
    const checks = [
      nodeCheck(process.versions.node),
      await simdCheck(),
      ...engines.map(engineCheck),
    ];
    return {
      ok: checks.every(({ ok, needed }) => ok || !needed),
      checks,
      hardware,
      bandwidth,
      engines,
      decodeCeiling: ceilingModels.map((modelBytes) => ({
        modelBytes,
        tokensPerSecond: bandwidth.bytesPerSecond / modelBytes,
      })),
    };
  },
  render: describe,
});

function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  const ok = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const oldest = oldestNode.join('.');
  return {
    name: 'Node.js',
    ok,
    needed: true,
    detail: `${version} (Pith needs ${oldest} or newer)`,
    ...(!ok && { hint: `Install Node.js ${oldest} or newer: https://nodejs.org` }),
  };
}

async function simdCheck(): Promise<Check> {
  const name = 'WebAssembly SIMD';
  try {
    await createWasmKernels();
    return { name, ok: true, needed: true, detail: 'the quantization kernels load' };
  } catch (error) {
    const hint = 'Use a newer Node.js, or a processor with SSE4.1 or NEON.';
    return { name, ok: false, needed: true, detail: (error as Error).message, hint };
  }
}

/** Quantizing needs no engine; running needs llama.cpp on the CPU, measuring inside searches ONNX Runtime. */
function engineCheck({ name, ok, detail }: EngineReport): Check {
  const needed = name === 'llama.cpp (CPU)';
  const install =
    (needed && `npm install node-llama-cpp@${llamaLibraryVersion}`) ||
    (name === 'ONNX Runtime (CPU)' && onnxRuntimeInstall);
  const hint = install || 'Only needed to run models on a GPU.';
  return { name, ok, needed, detail, ...(!ok && { hint }) };
}

function describe({ checks, hardware, bandwidth, decodeCeiling, ok }: DoctorReport): string {
  const { memoryLimitBytes: limit, cpuFeatures } = hardware;
  const ceilings = decodeCeiling.map(
    ({ modelBytes, tokensPerSecond }) =>
      `${threeDigits(tokensPerSecond)} tokens/s at ${formatBytes(modelBytes)}`,
  );
  const plain = [{ heading: '' }, { heading: '' }];
  const machine = formatTable(plain, [
    ['system', `${hardware.os} ${hardware.arch}`],
    ['processor', `${hardware.cpu}, ${hardware.cores} cores`],
    ['features', cpuFeatures.length > 0 ? cpuFeatures.join(' ') : 'unknown on this system'],
    [
      'memory',
      `${formatBytes(hardware.memoryBytes)}, ${formatBytes(hardware.freeMemoryBytes)} free`,
    ],
    ...(limit === undefined ? [] : [['memory limit', `${formatBytes(limit)} in this container`]]),
    ['memory speed', `${formatBytes(bandwidth.bytesPerSecond)}/s: ${bandwidth.method}`],
    ['decode ceiling', `${ceilings.join(', ')} of model, batch 1`],
  ]);
  const results = formatTable(
    [...plain, { heading: '' }],
    checks.map((check) => [
      mark(check),
      check.name,
      [check.detail, check.hint].filter(Boolean).join('. '),
    ]),
  );
  return [
    machine,
    results,
    ok ? 'Everything that Pith needs works.' : 'Something Pith needs does not work; see FAILED.',
  ].join('\n\n');
}

function mark({ ok, needed }: Check): string {
  if (ok) return 'ok';
  return needed ? 'FAILED' : 'no';
}
