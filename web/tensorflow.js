// The few functions of TensorFlow.js's core that this folder calls; its index would pull in all of it.

export { env, getKernel, profile, ready, setBackend, tidy } from '@tensorflow/tfjs-core/dist/base';
export { tensor4d } from '@tensorflow/tfjs-core/dist/ops/tensor4d';
export { zeros } from '@tensorflow/tfjs-core/dist/ops/zeros';
