import type { Dtype } from '../../tensor/dtypes.ts';
import type { ByteSource } from '../../util/byte-source.ts';
import { closeOnFailure } from '../../util/closing.ts';
import { PithError } from '../../util/errors.ts';
import { parseStrictJson, type Json } from '../../util/strict-json.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import { openSafetensors, type SafetensorsFile } from './open.ts';

/**
 * Opens a model that is spread over several safetensors files.
 *
 * @param index - The text of `model.safetensors.index.json`.
 * @param open - Opens a shard by its name in the index, relative to the index's folder.
 * @param name - What to call the index in messages.
 * @throws {@link PithError} `corrupt` when a shard's name leaves the folder, a tensor is missing from
 * its shard, lies in a shard that the index does not give for it, or in two; whatever `open` throws.
 * @remarks Tensors come shard by shard, in the order in which the index names the shards;
 * a `__metadata__` key that several shards give has the last one's text.
 */
export async function openShardedSafetensors(
  index: string,
  open: (shard: string) => Promise<ByteSource>,
  name = 'model.safetensors.index.json',
): Promise<SafetensorsFile> {
  const shardOf = parseWeightMap(index, name);
  const tensors = new Map<string, StoredTensor<Dtype>>();
  const metadata = new Map<string, string>();
  const files: SafetensorsFile[] = [];
  const close = async () => {
    await Promise.all(files.map((file) => file.close()));
  };
  return closeOnFailure({ close }, async () => {
    for (const shard of new Set(shardOf.values())) {
      const file = await openSafetensors(await open(shard));
      files.push(file);
      for (const [key, value] of file.metadata) metadata.set(key, value);
      for (const [key, tensor] of file.tensors) {
        checkHome(name, key, shard, shardOf.get(key));
        tensors.set(key, tensor);
      }
    }
    checkComplete(name, shardOf, tensors);
    return { name, tensors, metadata, close };
  });
}

function parseWeightMap(index: string, name: string): ReadonlyMap<string, string> {
  const json = parseStrictJson(index, name);
  const map =
    json instanceof Map ? (json as ReadonlyMap<string, Json>).get('weight_map') : undefined;
  if (!(map instanceof Map)) throw corrupt(name, 'it has no object "weight_map"');
  for (const [tensor, shard] of map as ReadonlyMap<string, Json>) {
    if (typeof shard !== 'string' || !isInsideFolder(shard)) {
      throw corrupt(
        name,
        `"${tensor}" should lie in ${JSON.stringify(shard)}, which is no .safetensors file in its folder`,
      );
    }
  }
  return map as ReadonlyMap<string, string>;
}

/** A relative path of plain names: no way up, no drive, no address. */
function isInsideFolder(shard: string): boolean {
  const parts = shard.split('/');
  const plain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  return plain && shard.endsWith('.safetensors') && !/[\\:\0]/.test(shard);
}

function checkHome(name: string, tensor: string, shard: string, home: string | undefined): void {
  if (home === shard) return;
  const expected = home === undefined ? 'the index does not name it' : `the index says ${home}`;
  throw corrupt(name, `tensor "${tensor}" lies in ${shard}, but ${expected}`);
}

function checkComplete(
  name: string,
  shardOf: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, StoredTensor<Dtype>>,
): void {
  const missing = [...shardOf.keys()].filter((tensor) => !tensors.has(tensor));
  if (missing.length === 0) return;
  const first = `"${missing[0]}" is not in ${shardOf.get(missing[0]!)}`;
  throw corrupt(name, `${missing.length} of ${shardOf.size} tensors are missing: ${first}`);
}

function corrupt(name: string, problem: string): PithError {
  const hint = 'Download the index and its shards again, from one and the same revision.';
  return new PithError('corrupt', `${name}: ${problem}.`, hint);
}
