import { memorySource } from '../../util/memory-source.ts';
import { PithError } from '../../util/errors.ts';
import { onnxTensorBytes } from './element-types.ts';
import { toInt64 } from './integers.ts';
import {
  onnxElementTypes,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from './model.ts';
import type { Message } from './schema.ts';

/** `AttributeProto.AttributeType` of the attributes that Pith knows. */
export const attributeTypes = {
  float: 1n,
  int: 2n,
  string: 3n,
  tensor: 4n,
  graph: 5n,
  floats: 6n,
  ints: 7n,
  strings: 8n,
} as const;

/** The model's message without its graph. */
export function modelMessage(model: OnnxModel): Message<'Model'> {
  const { irVersion, opsets, metadata, producerName, producerVersion } = model;
  return {
    irVersion: toInt64(irVersion, 'the IR version'),
    ...(producerName !== '' && { producerName }),
    ...(producerVersion !== '' && { producerVersion }),
    opsets: Object.entries(opsets).map(([domain, version]) => {
      return { domain, version: toInt64(version, `operator set "${domain}"`) };
    }),
    metadata: entries(metadata),
  };
}

/** The graph's message without its initializers; constants of nodes are read. */
export async function graphMessage(graph: OnnxGraph): Promise<Message<'Graph'>> {
  const nodes: Message<'Node'>[] = [];
  for (const node of graph.nodes) nodes.push(await nodeMessage(node));
  const inputs = graph.inputs.map(valueMessage);
  return { name: graph.name, nodes, inputs, outputs: graph.outputs.map(valueMessage) };
}

/**
 * The tensor's message without its data.
 *
 * @throws {@link PithError} `shape` when it has not as many bytes of data as its shape and type take.
 */
export function tensorMessage(tensor: OnnxTensor): Message<'Tensor'> {
  const expected = onnxTensorBytes(tensor);
  if (tensor.data.byteLength !== expected) {
    const wanted = `[${tensor.shape.join(', ')}] of ${tensor.elementType} takes ${expected} bytes`;
    throw new PithError('shape', `${tensor.name}: ${wanted}, but has ${tensor.data.byteLength}.`);
  }
  return {
    dims: tensor.shape.map(BigInt),
    dataType: BigInt(onnxElementTypes[tensor.elementType].id),
    name: tensor.name,
  };
}

/** Texts by key, as protobuf has them. */
export function entries(texts: Readonly<Record<string, string>>): Message<'Entry'>[] {
  return Object.entries(texts).map(([key, value]) => ({ key, value }));
}

async function nodeMessage(node: OnnxNode): Promise<Message<'Node'>> {
  const attributes: Message<'Attribute'>[] = [];
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    const what = `attribute "${name}" of ${node.opType} ${node.name ?? ''}`.trimEnd();
    const type = attributeTypes[attribute.type];
    attributes.push({ name, type, ...(await attributeValue(attribute, what)) });
  }
  const { opType, inputs, outputs, name, domain } = node;
  return { opType, inputs, outputs, attributes, ...(name && { name }), ...(domain && { domain }) };
}

async function attributeValue(
  attribute: OnnxAttribute,
  what: string,
): Promise<Message<'Attribute'>> {
  switch (attribute.type) {
    case 'float':
      return { float: float32(attribute.value, what) };
    case 'floats':
      return { floats: attribute.value.map((value) => float32(value, what)) };
    case 'int':
      return { int: toInt64(attribute.value, what) };
    case 'ints':
      return { ints: attribute.value.map((value) => toInt64(value, what)) };
    case 'tensor':
      return { tensor: await inlineTensor(attribute.value) };
    case 'graph': {
      const initializers: Message<'Tensor'>[] = [];
      for (const tensor of attribute.value.initializers) {
        initializers.push(await inlineTensor(tensor));
      }
      return { graph: { ...(await graphMessage(attribute.value)), initializers } };
    }
    default:
      return { [attribute.type]: attribute.value };
  }
}

async function inlineTensor(tensor: OnnxTensor): Promise<Message<'Tensor'>> {
  const { data } = tensor;
  const message = tensorMessage(tensor);
  const source = data instanceof Uint8Array ? memorySource(data) : data;
  return { ...message, rawData: await source.read(0, source.byteLength) };
}

function valueMessage({ name, elementType, shape }: OnnxValueInfo): Message<'ValueInfo'> {
  if (elementType === undefined) return { name };
  const tensor = { elementType: BigInt(onnxElementTypes[elementType].id) };
  if (shape === undefined) return { name, type: { tensor } };
  const dimensions = shape.map((size): Message<'Dimension'> => {
    if (size === '') return {};
    return typeof size === 'string' ? { symbol: size } : { size: toInt64(size, name) };
  });
  return { name, type: { tensor: { ...tensor, shape: { dimensions } } } };
}

function float32(value: number, what: string): number {
  if (!Number.isFinite(value) || Number.isFinite(Math.fround(value))) return value;
  throw new PithError('unsupported', `${what}: ${value} is beyond 32-bit floats.`);
}
