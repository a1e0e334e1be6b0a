// How much a photo looks like those that the model was taught with: fieldguide/evaluate/familiar.py has the idea and its
// source, docs/formats.md the layout of the file.

/**
 * Where the training photos lie before the classifier.
 * @typedef {{prelogits: string, weight: number, numClasses: number, mean: Float32Array, scales: Float32Array, steps: Int8Array}} Familiar
 * `prelogits` is the node of model.json that is what the classifier sees, `weight` that of the distance, `numClasses` how many
 * logits, the first ones, are looked at
 */

/**
 * The space that familiar.json and familiar.bin hold.
 * @param {{dim: number, num_directions: number, num_classes: number, weight: number, prelogits: string}} header
 * @param {ArrayBuffer} buffer
 * @returns {Familiar}
 */
export function readFamiliar({ dim, num_directions: num, num_classes: numClasses, weight, prelogits }, buffer) {
  if (buffer.byteLength !== 4 * (dim + num) + num * dim) throw new Error('familiar.bin is of another familiar.json');
  return {
    prelogits,
    weight,
    numClasses,
    mean: new Float32Array(buffer, 0, dim),
    scales: new Float32Array(buffer, 4 * dim, num),
    steps: new Int8Array(buffer, 4 * (dim + num)),
  };
}

/**
 * How familiar a photo looks: the energy of its logits minus the distance of what the classifier sees of it from the space.
 * @param {Familiar} familiar
 * @param {ArrayLike<number>} seen
 * @param {ArrayLike<number>} logits
 */
export function measureFamiliarity({ weight, numClasses, ...space }, seen, logits) {
  const first = Array.from(logits).slice(0, numClasses);
  const top = Math.max(...first);
  const energy = top + Math.log(first.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
  return energy - weight * measureDistance(space, seen);
}

function measureDistance({ mean, scales, steps }, seen) {
  const dim = mean.length;
  const centred = mean.map((middle, i) => seen[i] - middle);
  const off = centred.slice();
  scales.forEach((scale, row) => {
    const direction = steps.subarray(row * dim, (row + 1) * dim);
    const along = scale * scale * centred.reduce((sum, value, i) => sum + value * direction[i], 0);
    for (let i = 0; i < dim; i++) off[i] -= along * direction[i];
  });
  return Math.hypot(...off);
}
