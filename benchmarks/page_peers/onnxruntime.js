// student.onnx in ONNX Runtime's WebAssembly build, on one thread as any page without special headers.

import * as ort from 'onnxruntime-web/wasm';
import { answerPhotos } from './peer.js';

answerPhotos(async ({ image_size: side }) => {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL('./', document.baseURI).href;
  const session = await ort.InferenceSession.create('student.onnx', { executionProviders: ['wasm'] });
  const [name] = session.inputNames;
  return async (image) => {
    const planes = Float32Array.from(image, (_, i) => image[(i % (side * side)) * 3 + Math.floor(i / (side * side))]);
    const { logits } = await session.run({ [name]: new ort.Tensor('float32', planes, [1, 3, side, side]) });
    return logits.data;
  };
});
