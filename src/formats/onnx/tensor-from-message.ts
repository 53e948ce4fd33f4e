import { corrupt, unsupported } from './errors.ts';
import { elementTypeOf, onnxTensorBytes } from './element-types.ts';
import type { ExternalFiles } from './external.ts';
import { fromInt64 } from './integers.ts';
import type { OnnxElementType, OnnxTensor } from './model.ts';
import type { Message } from './schema.ts';
import { typedData, typedFields } from './typed-data.ts';

/**
 * A tensor; its raw data may be given when they were left in the file.
 *
 * @param file - For messages.
 * @throws {@link PithError} `corrupt` when its data are not what its shape and type take, or come
 * twice; `unsupported` for segments and for types that Pith does not read.
 */
export async function tensorOf(
  file: string,
  message: Message<'Tensor'>,
  files: ExternalFiles,
  rawData?: OnnxTensor['data'],
): Promise<OnnxTensor> {
  const name = message.name ?? '';
  const what = `${file}: tensor "${name}"`;
  const elementType = elementTypeOf(message.dataType ?? 0n, what);
  if (message.segment) {
    throw unsupported(what, 'it is cut into segments', 'Export it in one piece.');
  }
  const shape = (message.dims ?? []).map((size) => fromInt64(size, what));
  const byteLength = onnxTensorBytes({ name: what, elementType, shape });
  const data = { ...message, ...(rawData && { rawData }) };
  return {
    name,
    elementType,
    shape,
    data: await dataOf(what, data, files, { elementType, byteLength }),
  };
}

/** What a tensor's message says about its data, which may lie in the file still. */
type DataMessage = Omit<Message<'Tensor'>, 'rawData'> & { readonly rawData?: OnnxTensor['data'] };

async function dataOf(
  what: string,
  message: DataMessage,
  files: ExternalFiles,
  { elementType, byteLength }: { elementType: OnnxElementType; byteLength: number },
): Promise<OnnxTensor['data']> {
  const { rawData, externalData = [] } = message;
  const external = message.dataLocation === 1n;
  const places: string[] = typedFields(message);
  if (rawData) places.push('rawData');
  if (external) places.push('another file');
  if (places.length > 1) throw corrupt(what, `its data lie in ${places.join(' and in ')}`);
  if (external) return files.data(what, externalData, byteLength);
  if (rawData === undefined) return typedData(what, message, elementType, byteLength);
  if (rawData.byteLength === byteLength) return rawData;
  const sizes = `data of ${rawData.byteLength} bytes, but its shape takes ${byteLength}`;
  throw corrupt(what, `it has ${sizes}`);
}
