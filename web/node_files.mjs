// Reads a graph model from a folder in Node, where TensorFlow.js can only fetch.

import { readFileSync } from 'node:fs';
import path from 'node:path';

/** An IOHandler for `folder/model.json` and its weights. */
export function readFromFolder(folder) {
  return {
    load: async () => {
      const model = JSON.parse(readFileSync(path.join(folder, 'model.json'), 'utf8'));
      const groups = model.weightsManifest;
      const parts = groups.flatMap(({ paths }) => paths.map((name) => readFileSync(path.join(folder, name))));
      const weights = Buffer.concat(parts);
      return {
        modelTopology: model.modelTopology,
        signature: model.signature,
        weightSpecs: groups.flatMap((group) => group.weights),
        weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
      };
    },
  };
}
