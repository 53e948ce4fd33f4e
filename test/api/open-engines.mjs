// Opens and closes engines one after the other, and two at once at the end: node open-engines.mjs COUNT
import { openOnnxEngine } from '../../dist/runtime/onnx/index.js';

const open = () => openOnnxEngine({ threads: 1, providers: ['cpu'] });
for (let i = 0; i < Number(process.argv[2]); i++) await (await open()).close();
const [a, b] = [await open(), await open()];
await Promise.all([a.close(), b.close()]);
