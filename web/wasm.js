// Which of TensorFlow.js's WebAssembly binaries a browser takes.

export const WASM_FILES = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm'];

// A module with one function: i32.const 0, i8x16.splat, drop. It is valid where there is SIMD.
const WITH_SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 9, 1, 7, 0, 65, 0, 253, 15, 26, 11];

/** The .wasm file that this browser takes. */
export function wasmFile() {
  const hasSimd = typeof WebAssembly === 'object' && WebAssembly.validate(Uint8Array.from(WITH_SIMD));
  return WASM_FILES[hasSimd ? 1 : 0];
}
