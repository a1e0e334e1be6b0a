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
  /** By language, then by scientific name; of languages that have names of their own. */
  vernaculars: Record<string, Record<string, string>>;
  /** By region: classes of the first rank that were seen there. */
  regions: Record<string, string[]>;
  /** Those that may be named, in a guide of some regions; null: all. */
  kept: string[] | null;
}

/** When an answer is given in one situation. */
interface Rule {
  /** By rank: how likely a taxon must be. */
  thresholds: Record<string, number>;
  /** What looks less familiar is nothing in this guide; null where that was not measured. */
  min_familiarity?: number | null;
  /** What a short list may add up to; null where it was not measured. */
  set_limit: number | null;
  /** Answers that chose both; 0: nothing is promised. */
  num_chosen_by: number;
  /** How such answers went on the test photos; null where there were none. */
  tested?: { num_photos: number; risk: number; risk_interval: [number, number] } | null;
}

/** What may be said of a photo; `conclude` (answer.js) says what each means. */
type Verdict = 'taxon' | 'outside' | 'unsure' | 'strange';

/** calibration.json. */
interface Calibration {
  /** By rank; 1 where one is missing. */
  temperatures: Record<string, number>;
  rules: { measured: Partial<Record<'one' | 'several' | 'one_placed' | 'several_placed', Rule>>; fallback: Rule };
  /** Of one subject, for which the rules of several photos hold. */
  most_photos: number;
  /** Null where it was not measured, as the next one. */
  max_error: number | null;
  set_target: number | null;
  set_penalty: number;
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

/** bundle.json: by file, some of which are packed (packed.js). */
type BundleFiles = Record<string, { bytes: number; sha256: string }>;

/** One of species.json: what is told of a species beside its names; nothing where nothing more is known. */
interface Sheet {
  num_photos?: number;
  /** By name: validation photos in which one was taken for the other. */
  look_alikes?: Record<string, number>;
  photos?: { file: string; licence: string; rights_holder?: string }[];
  notes?: string;
  link?: string;
}

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
