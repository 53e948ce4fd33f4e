import { corrupt, unsupported } from './errors.ts';
import { elementTypeOf } from './element-types.ts';
import type { ExternalFiles } from './external.ts';
import { fromInt64 } from './integers.ts';
import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValueInfo,
} from './model.ts';
import type { Message } from './schema.ts';
import { tensorOf } from './tensor-from-message.ts';
import { attributeTypes } from './to-messages.ts';

const plainHint = 'Export the model with its functions inlined, dense tensors only.';

/** Everything of a model but its graph. */
export function modelOf(name: string, message: Message<'Model'>): Omit<OnnxModel, 'graph'> {
  if (message.irVersion === undefined)
    throw corrupt(name, 'it has no IR version: it is no ONNX model');
  for (const field of ['functions', 'training'] as const) {
    if (message[field])
      throw unsupported(name, `it has ${field}, which Pith does not read`, plainHint);
  }
  const opsets = (message.opsets ?? []).map(({ domain, version }): [string, number] => {
    return [plainDomain(domain), fromInt64(version ?? 0n, name)];
  });
  const metadata = (message.metadata ?? []).map(({ key, value }): [string, string] => {
    return [key ?? '', value ?? ''];
  });
  return {
    irVersion: fromInt64(message.irVersion, name),
    opsets: record(name, 'operator set', opsets),
    producerName: message.producerName ?? '',
    producerVersion: message.producerVersion ?? '',
    metadata: record(name, 'metadata key', metadata),
  };
}

/** A graph, whose initializers were read by themselves if they are given. */
export async function graphOf(
  name: string,
  message: Message<'Graph'>,
  files: ExternalFiles,
  initializers?: readonly OnnxTensor[],
): Promise<OnnxGraph> {
  if (message.sparse) throw unsupported(name, 'it has sparse initializers', plainHint);
  const nodes: OnnxNode[] = [];
  for (const node of message.nodes ?? []) nodes.push(await nodeOf(name, node, files));
  return {
    name: message.name ?? '',
    nodes,
    inputs: (message.inputs ?? []).map((value) => valueOf(name, value)),
    outputs: (message.outputs ?? []).map((value) => valueOf(name, value)),
    initializers: initializers ?? (await tensorsOf(name, message.initializers ?? [], files)),
  };
}

async function tensorsOf(
  name: string,
  messages: readonly Message<'Tensor'>[],
  files: ExternalFiles,
): Promise<OnnxTensor[]> {
  const tensors: OnnxTensor[] = [];
  for (const message of messages) tensors.push(await tensorOf(name, message, files));
  return tensors;
}

async function nodeOf(
  file: string,
  message: Message<'Node'>,
  files: ExternalFiles,
): Promise<OnnxNode> {
  const { opType, name, inputs = [], outputs = [] } = message;
  if (!opType) throw corrupt(file, `node "${name ?? ''}" has no operator`);
  const given: [string, OnnxAttribute][] = [];
  for (const attribute of message.attributes ?? []) {
    const key = attribute.name ?? '';
    given.push([
      key,
      await attributeOf(`${file}: attribute "${key}" of ${opType}`, attribute, files),
    ]);
  }
  const domain = plainDomain(message.domain);
  return {
    opType,
    ...(domain !== '' && { domain }),
    ...(name && { name }),
    inputs,
    outputs,
    ...(given.length > 0 && {
      attributes: record(file, `attribute of ${opType}`, given),
    }),
  };
}

type ReadAttribute = (
  message: Message<'Attribute'>,
  what: string,
  files: ExternalFiles,
) => OnnxAttribute | Promise<OnnxAttribute>;

/** An attribute of each type; what protobuf leaves out is 0 or empty. */
const attributes: { readonly [Type in OnnxAttribute['type']]: ReadAttribute } = {
  float: ({ float: value = 0 }) => ({ type: 'float', value }),
  int: ({ int = 0n }, what) => ({ type: 'int', value: fromInt64(int, what) }),
  string: ({ string: value = '' }) => ({ type: 'string', value }),
  floats: ({ floats: value = [] }) => ({ type: 'floats', value }),
  ints: ({ ints = [] }, what) => ({ type: 'ints', value: ints.map((int) => fromInt64(int, what)) }),
  strings: ({ strings: value = [] }) => ({ type: 'strings', value }),
  async tensor({ tensor = {} }, what, files) {
    return { type: 'tensor', value: await tensorOf(what, tensor, files) };
  },
  async graph({ graph = {} }, what, files) {
    return { type: 'graph', value: await graphOf(what, graph, files) };
  },
};

const typeByNumber = new Map(
  Object.entries(attributeTypes).map(([type, number]) => [number as bigint, type]),
) as ReadonlyMap<bigint, OnnxAttribute['type']>;

async function attributeOf(
  what: string,
  message: Message<'Attribute'>,
  files: ExternalFiles,
): Promise<OnnxAttribute> {
  const type = typeByNumber.get(message.type ?? 0n);
  if (message.reference) {
    throw unsupported(what, 'it refers to an attribute of a function', plainHint);
  }
  if (type !== undefined) return attributes[type](message, what, files);
  throw unsupported(what, `it has type ${message.type ?? 0}, which Pith does not read`, plainHint);
}

function valueOf(file: string, { name = '', type }: Message<'ValueInfo'>): OnnxValueInfo {
  const what = `${file}: value "${name}"`;
  if (type === undefined) return { name };
  const { tensor, ...others } = type;
  const [other] = Object.keys(others);
  if (other !== undefined) throw unsupported(what, `its type is ${other}, no tensor`, plainHint);
  if (tensor?.elementType === undefined) return { name };
  const elementType = elementTypeOf(tensor.elementType, what);
  if (tensor.shape === undefined) return { name, elementType };
  const shape = (tensor.shape.dimensions ?? []).map(({ size, symbol = '' }) => {
    if (size === undefined) return symbol;
    if (size < 0n) throw corrupt(what, `a dimension is ${size}`);
    return fromInt64(size, what);
  });
  return { name, elementType, shape };
}

/** `ai.onnx` is another name for ONNX's own domain. */
function plainDomain(domain = ''): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function record<T>(
  name: string,
  what: string,
  entries: readonly (readonly [string, T])[],
): Record<string, T> {
  const keys = new Set(entries.map(([key]) => key));
  if (keys.size === entries.length) return Object.fromEntries(entries);
  const repeated = entries.find(([key]) => !keys.delete(key))![0];
  throw corrupt(name, `the ${what} "${repeated}" is given twice`);
}
