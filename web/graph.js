// A TensorFlow.js graph model as this project stores it: model.json and the weights that it names.

import { Failure } from './failures.js';

/**
 * Read a model once.
 * @param {(file: string) => Promise<ArrayBuffer>} read files of the folder that holds it
 * @returns {Promise<{load: () => Promise<object>}>} an IOHandler; any number of models can be loaded from it
 * @throws {Failure}
 */
export async function readGraph(read) {
  let model;
  try {
    model = JSON.parse(new TextDecoder().decode(await read('model.json')));
  } catch (error) {
    throw error instanceof SyntaxError ? new Failure('wrong-model', { reason: `model.json is no JSON: ${error.message}` }) : error;
  }
  const groups = model.weightsManifest;
  const parts = await Promise.all(groups.flatMap(({ paths }) => paths).map(read));
  const artifacts = {
    modelTopology: model.modelTopology,
    signature: model.signature,
    weightSpecs: groups.flatMap((group) => group.weights),
    weightData: await new Blob(parts).arrayBuffer(),
  };
  return { load: async () => artifacts };
}
