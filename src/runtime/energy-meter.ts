import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Counts the energy of this machine's processor. */
export interface EnergyMeter {
  /** What is counted, and where it is read. */
  readonly method: string;
  /** Whether memory is in the count. */
  readonly countsMemory: boolean;
  /** Joules since the meter was opened; read more often than the counter wraps (minutes). */
  readJoules(): Promise<number>;
}

interface Zone {
  readonly name: string;
  readonly path: string;
  /** The counter wraps here. */
  readonly rangeMicrojoules: number;
}

const counterFolder = '/sys/class/powercap';
/** Whole processors, and memory beside them; cores and graphics are parts of a package. */
const countedZones = /^(package-\d+|dram)$/;

/**
 * Opens the energy counters that Linux offers for Intel and AMD processors (RAPL); undefined where
 * there are none or only root may read them, as in most virtual machines.
 *
 * Zones and wrapping as codecarbon 3.0.8 has them, with the memory zones added.
 *
 * @param folder - Where the counters are; a test gives its own.
 */
export async function openEnergyMeter(folder = counterFolder): Promise<EnergyMeter | undefined> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(names.map((name) => readZone(join(folder, name))));
  const zones = found.filter((zone) => zone !== undefined);
  if (!zones.some(({ name }) => name.startsWith('package'))) return undefined;
  const last = await Promise.all(zones.map(readMicrojoules));
  let microjoules = 0;
  return {
    method: `RAPL counters of ${zones.map(({ name }) => name).join(', ')}`,
    countsMemory: zones.some(({ name }) => name === 'dram'),
    async readJoules() {
      const now = await Promise.all(zones.map(readMicrojoules));
      for (const [index, { rangeMicrojoules }] of zones.entries()) {
        const step = now[index]! - last[index]!;
        microjoules += step < 0 ? step + rangeMicrojoules : step;
        last[index] = now[index]!;
      }
      return microjoules / 1e6;
    },
  };
}

async function readZone(path: string): Promise<Zone | undefined> {
  try {
    const name = (await readFile(join(path, 'name'), 'utf8')).trim();
    if (!countedZones.test(name)) return undefined;
    const rangeMicrojoules = Number(await readFile(join(path, 'max_energy_range_uj'), 'utf8'));
    const zone = { name, path, rangeMicrojoules };
    return Number.isFinite(await readMicrojoules(zone)) ? zone : undefined;
  } catch {
    // Not a zone, or one that only root may read: the caller says what it does without.
    return undefined;
  }
}

async function readMicrojoules({ path }: Zone): Promise<number> {
  return Number(await readFile(join(path, 'energy_uj'), 'utf8'));
}
