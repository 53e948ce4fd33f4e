import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { fieldsOf, type Message, type MessageName } from './schema.ts';

/** Protobuf bytes of a message, its fields in the order of the schema. */
export function encodeMessage<Name extends MessageName>(
  name: Name,
  message: Message<Name>,
): Uint8Array {
  const writer = new BinaryWriter();
  writeFields(writer, name, message);
  return writer.finish();
}

/** What precedes the bytes of a field that is a message or bytes: its tag and their number. */
export function lengthPrefix(fieldNumber: number, byteLength: number): Uint8Array {
  return new BinaryWriter().tag(fieldNumber, WireType.LengthDelimited).uint32(byteLength).finish();
}

function writeFields(writer: BinaryWriter, name: MessageName, message: object): void {
  const values = message as Readonly<Record<string, unknown>>;
  for (const [key, { number, kind, repeated }] of Object.entries(fieldsOf(name))) {
    const value = values[key];
    if (value === undefined) continue;
    for (const item of repeated ? (value as readonly unknown[]) : [value]) {
      writeField(writer, number, kind, item);
    }
  }
}

function writeField(writer: BinaryWriter, number: number, kind: string, value: unknown): void {
  switch (kind) {
    case 'int':
      writer.tag(number, WireType.Varint).int64(value as bigint);
      break;
    case 'float':
      writer.tag(number, WireType.Bit32).float(value as number);
      break;
    case 'string':
      writer.tag(number, WireType.LengthDelimited).string(value as string);
      break;
    case 'bytes':
    case 'packed':
    case 'message':
      writer.tag(number, WireType.LengthDelimited).bytes(value as Uint8Array);
      break;
    default:
      writer.tag(number, WireType.LengthDelimited).fork();
      writeFields(writer, kind as MessageName, value as object);
      writer.join();
  }
}
