// The operations that fieldguide/export/operators.py can put into a model. TensorFlow.js's converter asks for an alias of
// its `ops_for_converter` in custom builds; this is it, and it halves the page.

export { add } from '@tensorflow/tfjs-core/dist/ops/add';
export { avgPool } from '@tensorflow/tfjs-core/dist/ops/avg_pool';
export { batchToSpaceND } from '@tensorflow/tfjs-core/dist/ops/batch_to_space_nd';
export { cast } from '@tensorflow/tfjs-core/dist/ops/cast';
export { concat } from '@tensorflow/tfjs-core/dist/ops/concat';
export { conv2d } from '@tensorflow/tfjs-core/dist/ops/conv2d';
export { depthwiseConv2d } from '@tensorflow/tfjs-core/dist/ops/depthwise_conv2d';
export { div } from '@tensorflow/tfjs-core/dist/ops/div';
export { leakyRelu } from '@tensorflow/tfjs-core/dist/ops/leaky_relu';
export { matMul } from '@tensorflow/tfjs-core/dist/ops/mat_mul';
export { maximum } from '@tensorflow/tfjs-core/dist/ops/maximum';
export { maxPool } from '@tensorflow/tfjs-core/dist/ops/max_pool';
export { mean } from '@tensorflow/tfjs-core/dist/ops/mean';
export { minimum } from '@tensorflow/tfjs-core/dist/ops/minimum';
export { mul } from '@tensorflow/tfjs-core/dist/ops/mul';
export { neg } from '@tensorflow/tfjs-core/dist/ops/neg';
export { pad } from '@tensorflow/tfjs-core/dist/ops/pad';
export { prelu } from '@tensorflow/tfjs-core/dist/ops/prelu';
export { relu } from '@tensorflow/tfjs-core/dist/ops/relu';
export { relu6 } from '@tensorflow/tfjs-core/dist/ops/relu6';
export { reshape } from '@tensorflow/tfjs-core/dist/ops/reshape';
export { scalar } from '@tensorflow/tfjs-core/dist/ops/scalar';
export { sigmoid } from '@tensorflow/tfjs-core/dist/ops/sigmoid';
export { slice } from '@tensorflow/tfjs-core/dist/ops/slice';
export { spaceToBatchND } from '@tensorflow/tfjs-core/dist/ops/space_to_batch_nd';
export { split } from '@tensorflow/tfjs-core/dist/ops/split';
export { squeeze } from '@tensorflow/tfjs-core/dist/ops/squeeze';
export { stridedSlice } from '@tensorflow/tfjs-core/dist/ops/strided_slice';
export { sub } from '@tensorflow/tfjs-core/dist/ops/sub';
export { tanh } from '@tensorflow/tfjs-core/dist/ops/tanh';
export { tensor1d } from '@tensorflow/tfjs-core/dist/ops/tensor1d';
export { transpose } from '@tensorflow/tfjs-core/dist/ops/transpose';
export * as fused from '@tensorflow/tfjs-core/dist/ops/fused_ops';
