// The bundle's model in TensorFlow.js as it is published.

import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { answerPhotos } from './peer.js';

answerPhotos(async ({ image_size: side }) => {
  setWasmPaths('./');
  await tf.setBackend('wasm');
  const model = await tf.loadGraphModel(new URL('model.json', document.baseURI).href);
  return async (image) => {
    const output = tf.tidy(() => model.execute({ image: tf.tensor4d(image, [1, side, side, 3]) }));
    const logits = await output.data();
    output.dispose();
    return logits;
  };
});
