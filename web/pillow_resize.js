// Pillow's antialiased bicubic resize for 8-bit images, bit for bit, as of Pillow 13 (uv.lock pins it, a test compares).
//
// The model was trained on photos resized by Pillow; a canvas resizes differently, which changes one answer in five.

const PRECISION_BITS = 32 - 8 - 2; // weights are fixed-point so that 8-bit sums, overshoot included, fit 32 bits
const HALF = 1 << (PRECISION_BITS - 1);
const SUPPORT = 2; // px on either side of the centre that the cubic reaches, at scale 1
const A = -0.5;

function bicubic(distance) {
  const x = Math.abs(distance);
  if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * A;
  return 0;
}

/**
 * For every output position along one axis: where its window starts, how long it is, and its fixed-point weights.
 * @param {number} inSize px of the whole axis
 * @param {number} start of the part that is resized, px
 * @param {number} end of that part, px, exclusive
 * @param {number} outSize px
 */
function windows(inSize, start, end, outSize) {
  const scale = (end - start) / outSize;
  const stretch = Math.max(scale, 1);
  const reach = SUPPORT * stretch;
  const width = Math.ceil(reach) * 2 + 1;
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Int32Array(outSize * width);
  const inverse = 1 / stretch;
  for (let out = 0; out < outSize; out++) {
    const center = start + (out + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - reach + 0.5));
    const high = Math.min(inSize, Math.trunc(center + reach + 0.5));
    const exact = new Float64Array(high - low);
    let sum = 0;
    for (let i = 0; i < exact.length; i++) {
      exact[i] = bicubic((i + low - center + 0.5) * inverse);
      sum += exact[i];
    }
    for (let i = 0; i < exact.length; i++) {
      const fixed = (sum === 0 ? exact[i] : exact[i] / sum) * (1 << PRECISION_BITS);
      weights[out * width + i] = Math.trunc(fixed < 0 ? fixed - 0.5 : fixed + 0.5);
    }
    first[out] = low;
    count[out] = exact.length;
  }
  return { first, count, weights, width };
}

const toByte = (sum) => {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : Math.min(value, 255);
};

/** `image` with each row squeezed or stretched to `outWidth`; rows outside [`firstRow`, `endRow`) are dropped. */
function resizeRows(image, outWidth, { first, count, weights, width }, firstRow, endRow) {
  const source = image.data;
  const data = new Uint8Array((endRow - firstRow) * outWidth * 3);
  let to = 0;
  for (let y = firstRow; y < endRow; y++) {
    for (let x = 0; x < outWidth; x++) {
      let red = HALF, green = HALF, blue = HALF;
      let from = (y * image.width + first[x]) * 3;
      const end = x * width + count[x];
      for (let i = x * width; i < end; i++, from += 3) {
        const weight = weights[i];
        red = (red + Math.imul(source[from], weight)) | 0;
        green = (green + Math.imul(source[from + 1], weight)) | 0;
        blue = (blue + Math.imul(source[from + 2], weight)) | 0;
      }
      data[to++] = toByte(red);
      data[to++] = toByte(green);
      data[to++] = toByte(blue);
    }
  }
  return { data, width: outWidth, height: endRow - firstRow };
}

/** `image` with each column squeezed or stretched to `outHeight`; its first row is row `firstRow` of the windows. */
function resizeColumns(image, outHeight, { first, count, weights, width }, firstRow) {
  const rowBytes = image.width * 3;
  const data = new Uint8Array(outHeight * rowBytes);
  const source = image.data;
  const sums = new Int32Array(rowBytes);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(HALF);
    for (let i = 0, from = (first[y] - firstRow) * rowBytes; i < count[y]; i++, from += rowBytes) {
      const weight = weights[y * width + i];
      for (let column = 0; column < rowBytes; column++) sums[column] = (sums[column] + Math.imul(source[from + column], weight)) | 0;
    }
    for (let column = 0, to = y * rowBytes; column < rowBytes; column++) data[to++] = toByte(sums[column]);
  }
  return { data, width: image.width, height: outHeight };
}

/**
 * Resize a part of an RGB image.
 * @param {RgbImage} image
 * @param {number} outWidth px
 * @param {number} outHeight px
 * @param {number[]} box left, top, right, bottom of the part, px
 * @returns {RgbImage}
 */
export function resize(image, outWidth, outHeight, box = [0, 0, image.width, image.height]) {
  const [left, top, right, bottom] = box;
  const across = windows(image.width, left, right, outWidth);
  const down = windows(image.height, top, bottom, outHeight);
  // The two passes round to bytes in between, so their order shows. Pillow 13 begins with the columns when more than twice
  // as many rows as columns are lost; older ones never did.
  const lostRows = image.height - outHeight;
  if (lostRows > 0 && lostRows > 2 * (image.width - outWidth)) {
    return resizeRows(resizeColumns(image, outHeight, down, 0), outWidth, across, 0, outHeight);
  }
  const firstRow = down.first[0];
  const endRow = down.first[outHeight - 1] + down.count[outHeight - 1];
  return resizeColumns(resizeRows(image, outWidth, across, firstRow, endRow), outHeight, down, firstRow);
}
