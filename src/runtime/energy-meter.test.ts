import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEnergyMeter } from './energy-meter.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pith-rapl-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function zone(root: string, id: string, name: string, microjoules: number): Promise<void> {
  const path = join(folder, root, id);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'name'), `${name}\n`);
  await writeFile(join(path, 'max_energy_range_uj'), '262143328850\n');
  await writeFile(join(path, 'energy_uj'), `${microjoules}\n`);
}

test('package and memory are added up, cores are not counted twice', async () => {
  const root = 'both';
  await zone(root, 'intel-rapl:0', 'package-0', 5_000_000);
  await zone(root, 'intel-rapl:0:0', 'core', 4_000_000);
  await zone(root, 'intel-rapl:0:1', 'dram', 1_000_000);
  const meter = (await openEnergyMeter(join(folder, root)))!;
  expect(meter.countsMemory).toBe(true);
  expect(meter.method).toContain('package-0, dram');
  await zone(root, 'intel-rapl:0', 'package-0', 8_000_000);
  await zone(root, 'intel-rapl:0:1', 'dram', 1_500_000);
  expect(await meter.readJoules()).toBeCloseTo(3.5, 9);
});

test('a counter that wraps at 262 143.328850 J goes on', async () => {
  await zone('wrap', 'intel-rapl:0', 'package-0', 262_143_000_000);
  const meter = (await openEnergyMeter(join(folder, 'wrap')))!;
  await zone('wrap', 'intel-rapl:0', 'package-0', 671_150);
  expect(await meter.readJoules()).toBeCloseTo(1, 9);
  await zone('wrap', 'intel-rapl:0', 'package-0', 2_671_150);
  expect(await meter.readJoules()).toBeCloseTo(3, 9);
});

test('without a processor zone, or without the folder, there is no meter', async () => {
  await zone('none', 'intel-rapl:0:1', 'dram', 1);
  expect(await openEnergyMeter(join(folder, 'none'))).toBeUndefined();
  expect(await openEnergyMeter(join(folder, 'absent'))).toBeUndefined();
});
