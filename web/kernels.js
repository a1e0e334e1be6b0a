// The kernels behind converter_ops.js, for WebAssembly and, where that fails, plain JavaScript.

import { registerKernel } from '@tensorflow/tfjs-core/dist/base';
import '@tensorflow/tfjs-backend-wasm/dist/base';
import '@tensorflow/tfjs-backend-cpu/dist/base';
import { _fusedMatMulConfig as wasmFusedMatMul } from '@tensorflow/tfjs-backend-wasm/dist/kernels/_FusedMatMul';
import { addConfig as wasmAdd } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Add';
import { avgPoolConfig as wasmAvgPool } from '@tensorflow/tfjs-backend-wasm/dist/kernels/AvgPool';
import { batchMatMulConfig as wasmBatchMatMul } from '@tensorflow/tfjs-backend-wasm/dist/kernels/BatchMatMul';
import { batchToSpaceNDConfig as wasmBatchToSpaceND } from '@tensorflow/tfjs-backend-wasm/dist/kernels/BatchToSpaceND';
import { castConfig as wasmCast } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Cast';
import { concatConfig as wasmConcat } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Concat';
import { conv2DConfig as wasmConv2D } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Conv2D';
import { depthwiseConv2dNativeConfig as wasmDepthwiseConv2dNative } from '@tensorflow/tfjs-backend-wasm/dist/kernels/DepthwiseConv2dNative';
import { expandDimsConfig as wasmExpandDims } from '@tensorflow/tfjs-backend-wasm/dist/kernels/ExpandDims';
import { fusedConv2DConfig as wasmFusedConv2D } from '@tensorflow/tfjs-backend-wasm/dist/kernels/FusedConv2D';
import { fusedDepthwiseConv2DConfig as wasmFusedDepthwiseConv2D } from '@tensorflow/tfjs-backend-wasm/dist/kernels/FusedDepthwiseConv2D';
import { identityConfig as wasmIdentity } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Identity';
import { leakyReluConfig as wasmLeakyRelu } from '@tensorflow/tfjs-backend-wasm/dist/kernels/LeakyRelu';
import { maxPoolConfig as wasmMaxPool } from '@tensorflow/tfjs-backend-wasm/dist/kernels/MaxPool';
import { maximumConfig as wasmMaximum } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Maximum';
import { meanConfig as wasmMean } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Mean';
import { minimumConfig as wasmMinimum } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Minimum';
import { multiplyConfig as wasmMultiply } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Multiply';
import { negConfig as wasmNeg } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Neg';
import { padV2Config as wasmPadV2 } from '@tensorflow/tfjs-backend-wasm/dist/kernels/PadV2';
import { preluConfig as wasmPrelu } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Prelu';
import { realDivConfig as wasmRealDiv } from '@tensorflow/tfjs-backend-wasm/dist/kernels/RealDiv';
import { reluConfig as wasmRelu } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Relu';
import { relu6Config as wasmRelu6 } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Relu6';
import { reshapeConfig as wasmReshape } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Reshape';
import { sigmoidConfig as wasmSigmoid } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Sigmoid';
import { sliceConfig as wasmSlice } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Slice';
import { spaceToBatchNDConfig as wasmSpaceToBatchND } from '@tensorflow/tfjs-backend-wasm/dist/kernels/SpaceToBatchND';
import { splitVConfig as wasmSplitV } from '@tensorflow/tfjs-backend-wasm/dist/kernels/SplitV';
import { stridedSliceConfig as wasmStridedSlice } from '@tensorflow/tfjs-backend-wasm/dist/kernels/StridedSlice';
import { subConfig as wasmSub } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Sub';
import { tanhConfig as wasmTanh } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Tanh';
import { transposeConfig as wasmTranspose } from '@tensorflow/tfjs-backend-wasm/dist/kernels/Transpose';
import { _fusedMatMulConfig as cpuFusedMatMul } from '@tensorflow/tfjs-backend-cpu/dist/kernels/_FusedMatMul';
import { addConfig as cpuAdd } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Add';
import { avgPoolConfig as cpuAvgPool } from '@tensorflow/tfjs-backend-cpu/dist/kernels/AvgPool';
import { batchMatMulConfig as cpuBatchMatMul } from '@tensorflow/tfjs-backend-cpu/dist/kernels/BatchMatMul';
import { batchToSpaceNDConfig as cpuBatchToSpaceND } from '@tensorflow/tfjs-backend-cpu/dist/kernels/BatchToSpaceND';
import { castConfig as cpuCast } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Cast';
import { concatConfig as cpuConcat } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Concat';
import { conv2DConfig as cpuConv2D } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Conv2D';
import { depthwiseConv2dNativeConfig as cpuDepthwiseConv2dNative } from '@tensorflow/tfjs-backend-cpu/dist/kernels/DepthwiseConv2dNative';
import { expandDimsConfig as cpuExpandDims } from '@tensorflow/tfjs-backend-cpu/dist/kernels/ExpandDims';
import { fusedConv2DConfig as cpuFusedConv2D } from '@tensorflow/tfjs-backend-cpu/dist/kernels/FusedConv2D';
import { fusedDepthwiseConv2DConfig as cpuFusedDepthwiseConv2D } from '@tensorflow/tfjs-backend-cpu/dist/kernels/FusedDepthwiseConv2D';
import { identityConfig as cpuIdentity } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Identity';
import { leakyReluConfig as cpuLeakyRelu } from '@tensorflow/tfjs-backend-cpu/dist/kernels/LeakyRelu';
import { maxPoolConfig as cpuMaxPool } from '@tensorflow/tfjs-backend-cpu/dist/kernels/MaxPool';
import { maximumConfig as cpuMaximum } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Maximum';
import { meanConfig as cpuMean } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Mean';
import { minimumConfig as cpuMinimum } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Minimum';
import { multiplyConfig as cpuMultiply } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Multiply';
import { negConfig as cpuNeg } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Neg';
import { padV2Config as cpuPadV2 } from '@tensorflow/tfjs-backend-cpu/dist/kernels/PadV2';
import { preluConfig as cpuPrelu } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Prelu';
import { realDivConfig as cpuRealDiv } from '@tensorflow/tfjs-backend-cpu/dist/kernels/RealDiv';
import { reluConfig as cpuRelu } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Relu';
import { relu6Config as cpuRelu6 } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Relu6';
import { reshapeConfig as cpuReshape } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Reshape';
import { sigmoidConfig as cpuSigmoid } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Sigmoid';
import { sliceConfig as cpuSlice } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Slice';
import { spaceToBatchNDConfig as cpuSpaceToBatchND } from '@tensorflow/tfjs-backend-cpu/dist/kernels/SpaceToBatchND';
import { splitVConfig as cpuSplitV } from '@tensorflow/tfjs-backend-cpu/dist/kernels/SplitV';
import { stridedSliceConfig as cpuStridedSlice } from '@tensorflow/tfjs-backend-cpu/dist/kernels/StridedSlice';
import { subConfig as cpuSub } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Sub';
import { tanhConfig as cpuTanh } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Tanh';
import { transposeConfig as cpuTranspose } from '@tensorflow/tfjs-backend-cpu/dist/kernels/Transpose';

for (const kernel of [
  wasmFusedMatMul,
  wasmAdd,
  wasmAvgPool,
  wasmBatchMatMul,
  wasmBatchToSpaceND,
  wasmCast,
  wasmConcat,
  wasmConv2D,
  wasmDepthwiseConv2dNative,
  wasmExpandDims,
  wasmFusedConv2D,
  wasmFusedDepthwiseConv2D,
  wasmIdentity,
  wasmLeakyRelu,
  wasmMaxPool,
  wasmMaximum,
  wasmMean,
  wasmMinimum,
  wasmMultiply,
  wasmNeg,
  wasmPadV2,
  wasmPrelu,
  wasmRealDiv,
  wasmRelu,
  wasmRelu6,
  wasmReshape,
  wasmSigmoid,
  wasmSlice,
  wasmSpaceToBatchND,
  wasmSplitV,
  wasmStridedSlice,
  wasmSub,
  wasmTanh,
  wasmTranspose,
]) registerKernel(kernel);

for (const kernel of [
  cpuFusedMatMul,
  cpuAdd,
  cpuAvgPool,
  cpuBatchMatMul,
  cpuBatchToSpaceND,
  cpuCast,
  cpuConcat,
  cpuConv2D,
  cpuDepthwiseConv2dNative,
  cpuExpandDims,
  cpuFusedConv2D,
  cpuFusedDepthwiseConv2D,
  cpuIdentity,
  cpuLeakyRelu,
  cpuMaxPool,
  cpuMaximum,
  cpuMean,
  cpuMinimum,
  cpuMultiply,
  cpuNeg,
  cpuPadV2,
  cpuPrelu,
  cpuRealDiv,
  cpuRelu,
  cpuRelu6,
  cpuReshape,
  cpuSigmoid,
  cpuSlice,
  cpuSpaceToBatchND,
  cpuSplitV,
  cpuStridedSlice,
  cpuSub,
  cpuTanh,
  cpuTranspose,
]) registerKernel(kernel);
