// The least page that answers a photo with a stock runtime, as its tutorial has it: a canvas that resizes, then the network.

/**
 * @param {(settings: object) => Promise<(image: Float32Array) => Promise<Float32Array>>} open starts the runtime and its
 *   model, which takes images [1, side, side, 3]
 */
export function answerPhotos(open) {
  const settings = fetch('preprocessing.json').then((response) => response.json());
  const opened = settings.then(open);
  opened.then(() => {
    document.body.dataset.state = 'ready';
  });
  const picker = document.getElementById('pick');
  const take = async () => {
    const [file] = picker.files;
    if (!file) return;
    const input = await prepare(file, await settings);
    const logits = await (await opened)(input);
    document.dispatchEvent(new CustomEvent('fieldguide:answer', { detail: { logits: Array.from(logits) } }));
  };
  picker.addEventListener('change', take);
  take(); // a file that was chosen before this script came
  // Milliseconds of `count` bare answers.
  window.timeBare = async (count) => {
    const { image_size: side } = await settings;
    const [predict, image, times] = [await opened, Float32Array.from({ length: side * side * 3 }, Math.random), []];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await predict(image);
      times.push(performance.now() - start);
    }
    return times;
  };
}

async function prepare(file, { image_size: side, mean, std }) {
  const bitmap = await createImageBitmap(file);
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  return Float32Array.from({ length: side * side * 3 }, (_, i) => {
    const channel = i % 3;
    return (data[4 * Math.floor(i / 3) + channel] / 255 - mean[channel]) / std[channel];
  });
}
