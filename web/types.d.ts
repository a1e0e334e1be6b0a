// What the JSON files of a bundle hold (docs/formats.md, models/tfjs), for the type checker; nothing here reaches the page.

/** labels.json. */
interface Labels {
  /** The one classified first comes first. */
  ranks: string[];
  /** By rank, in the order of the model's output. */
  classes: Record<string, string[]>;
  /** By rank, then by name: the names of its higher ranks. */
  parents: Record<string, Record<string, Record<string, string>>>;
  /** By scientific name. */
  vernacular: Record<string, string>;
}

/** calibration.json. */
interface Calibration {
  /** By rank; 1 where one is missing. */
  temperatures: Record<string, number>;
  min_confidence: number;
  /** Null where it was not measured, as the next two. */
  max_error: number | null;
  set_mass: number | null;
  set_target: number | null;
  fusion_exponent: number;
}

/** preprocessing.json; sizes in px. */
interface Settings {
  record_size: number;
  image_size: number;
  /** By channel, of values in [0, 1]. */
  mean: number[];
  std: number[];
  method: 'pad' | 'crop' | 'squash';
  upscale: boolean;
  pad_fill: 'color' | 'mean' | 'edge' | 'reflect';
  pad_color: number[];
}

/** bundle.json: by file. */
type BundleFiles = Record<string, { bytes: number; sha256: string }>;

/** One of examples.json. */
interface Example {
  file: string;
  label: string;
  licence: string;
  rights_holder?: string;
}

/** Decoded pixels: RGB, row by row. */
interface RgbImage {
  data: Uint8Array;
  width: number;
  height: number;
}

/** What web/build.mjs writes while it bundles. */
declare module 'virtual:kernels';
