// The device's camera, live: what it sees is named while somebody aims, and one picture of it becomes a photo.

import { at } from './element.js';
import { say } from './language.js';

const AIM_SIDE = 640; // px of the longer side that is enough to aim by
const QUALITY = 0.95; // of the JPEG that is taken

/** Whether this browser can show what its camera sees. */
export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/**
 * Show what the camera sees until a picture is taken.
 * @param {(picture: Blob) => Promise<string>} name what to say of a picture while somebody aims
 * @returns {Promise<File|null>} null: none was taken
 * @throws {DOMException} the camera is not there, or not allowed
 */
export async function takePicture(name) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: { ideal: 'environment' }, width: { ideal: 1920 }, height: { ideal: 1080 } },
  });
  const [dialog, video] = [at('camera'), at('camera-view')];
  const closed = new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
  try {
    video.srcObject = stream;
    at('camera-says').textContent = say('camera.aim');
    dialog.returnValue = '';
    dialog.showModal();
    await Promise.race([video.play(), closed]);
    aim(video, name, dialog);
    await closed;
    return dialog.returnValue === 'take' ? await grab(video, Infinity) : null;
  } finally {
    video.srcObject = null;
    for (const track of stream.getTracks()) track.stop();
  }
}

/** Say what the camera sees, again and again: one picture after the other, so that a slow device falls behind nowhere. */
async function aim(video, name, dialog) {
  while (dialog.open) {
    const picture = await grab(video, AIM_SIDE);
    const text = picture && (await name(picture).catch(() => null));
    if (!dialog.open) return;
    // A screen reader would read the same words again.
    if (text && at('camera-says').textContent !== text) at('camera-says').textContent = text;
    await new Promise((resolve) => setTimeout(resolve, 150)); // the phone in the hand stays cool
  }
}

/** What the camera sees now, at most `side` px long; null before it sees anything. */
async function grab(video, side) {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width || !height) return null;
  const shrink = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height].map((length) => Math.max(1, Math.round(length * shrink)));
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
  const jpeg = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
  return new File([jpeg], `${new Date().toISOString().replaceAll(':', '-')}.jpg`, { type: 'image/jpeg' });
}
