// From logits to what may honestly be said: a species where the model is sure, else a genus, else a family, else that it is
// not in this guide. docs/formats.md (models/tfjs, Answers) is the specification; fieldguide/evaluate/tree.py follows it too,
// and tests/web/answers.json holds cases for both.

export const OTHER = 'other'; // class 0 of every rank: a taxon that is not in this guide

/** Whether nothing in the guide is what is said. @param {Verdict} verdict */
export const isNothing = (verdict) => verdict === 'outside' || verdict === 'strange';

/** Probabilities of logits that were divided by the calibration's temperature. */
export function softmax(logits, temperature) {
  const top = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const weights = Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * The logits that several photos of one subject have together: their mean, times their number to the power of `exponent`.
 * @param {ArrayLike<number>[]} logits of each photo, at least one
 * @returns {number[]}
 */
export function fuse(logits, exponent = 0) {
  const weight = logits.length ** exponent / logits.length;
  return Array.from(logits[0], (_, i) => weight * logits.reduce((sum, of) => sum + of[i], 0));
}

/**
 * A taxon that the photo may show.
 * @typedef {{rank: string, name: string, probability: number, lineage: {rank: string, name: string}[]}} Candidate
 * `lineage` runs from the broadest rank to the taxon itself.
 */

/** Ranks from the finest to the broadest: the one classified first, then by falling number of classes. */
export function climb({ ranks, classes }) {
  const [first, ...higher] = ranks;
  return [first, ...higher.sort((a, b) => classes[b].length - classes[a].length)];
}

/**
 * What a guide of some regions never names, by rank: of the first rank all but `kept`, and what has none of these below it.
 * @returns {Object<string, Set<string>>}
 */
export function leftOut({ ranks, classes, parents, kept }) {
  if (!kept) return Object.fromEntries(ranks.map((rank) => [rank, new Set()]));
  const [first] = ranks;
  const isKept = new Set([...kept, OTHER]);
  const above = (rank, names) => new Set(names.map((name) => parents[first]?.[name]?.[rank]));
  const without = (rank) => {
    const [all, alive] = [above(rank, classes[first]), above(rank, kept)];
    return classes[rank].filter((name) => name !== OTHER && all.has(name) && !alive.has(name));
  };
  return Object.fromEntries(
    ranks.map((rank) => [rank, new Set(rank === first ? classes[first].filter((name) => !isKept.has(name)) : without(rank))]),
  );
}

/** The logits of each rank; the model's output holds the ranks one after the other. */
function splitByRank(logits, labels) {
  const { ranks, classes } = labels;
  const count = ranks.reduce((total, rank) => total + classes[rank].length, 0);
  if (count !== logits.length) throw new Error(`the model answers ${logits.length} classes, labels.json names ${count}`);
  let start = 0;
  const absent = leftOut(labels);
  const masked = (logit, name, rank) => (absent[rank].has(name) ? -Infinity : logit);
  return Object.fromEntries(ranks.map((rank) => [rank, classes[rank].map((name) => masked(logits[start++], name, rank))]));
}

/**
 * Probabilities of each rank's classes, in their order.
 *
 * The first rank speaks for all it can name. What it calls `other` is shared out by the next broader rank, and so on up. A
 * taxon has its own share and that of everything below it, so a genus is never less likely than one of its species.
 * @param {Object<string, number[]>} heads logits of each rank
 * @returns {Object<string, number[]>}
 */
function sumUpTree(heads, labels, temperatures) {
  const shares = []; // what each taxon has that no finer one could name
  let unnamed = 1;
  const byRank = {};
  for (const rank of climb(labels)) {
    const names = labels.classes[rank];
    const own = softmax(heads[rank], temperatures[rank] ?? 1).map((probability) => unnamed * probability);
    const sums = new Map(names.map((name) => [name, 0]));
    const add = (name, share) => sums.set(name, sums.get(name) + share);
    for (const { share, above } of shares) add(sums.has(above[rank]) ? above[rank] : OTHER, share);
    unnamed = 0;
    names.forEach((name, i) => {
      add(name, own[i]);
      if (name === OTHER) unnamed = own[i];
      else shares.push({ share: own[i], above: labels.parents[rank]?.[name] ?? {} });
    });
    byRank[rank] = [...sums.values()];
  }
  return byRank;
}

/**
 * The rule of an answer: what was chosen on validation photos asked about in the same way, one photo or several, with place
 * and season or without. Where nothing was, the strictest thresholds hold and nothing is promised.
 * @param {Calibration} calibration
 * @param {{numPhotos?: number, isPlaced?: boolean}} told
 * @returns {Rule}
 */
export function findRule({ rules, most_photos: mostPhotos }, { numPhotos = 1, isPlaced = false } = {}) {
  if (numPhotos > mostPhotos) return rules.fallback;
  const situation = (numPhotos > 1 ? 'several' : 'one') + (isPlaced ? '_placed' : '');
  return rules.measured[situation] ?? rules.fallback;
}

/**
 * What may be said of a photo, or of several.
 *
 * `taxon`: the finest taxon of which the model is sure enough. `outside`: it is sure of none, and the likeliest at the
 * broadest rank is `other`. `unsure`: it is sure of none; `best` is the likeliest at the broadest rank. `strange`: it looks
 * too little like the photos that the model was taught with, whatever is the likeliest; `best` is `other`.
 * @param {ArrayLike<number>} logits
 * @param {Labels} labels
 * @param {Calibration} calibration
 * @param {{numPhotos?: number, isPlaced?: boolean, familiarity?: ?number}} told `familiarity` as familiar.js measures it, of several
 *   photos their mean; null or left out where nobody can say
 * @returns {{verdict: Verdict, best: Candidate, byRank: Object<string, Candidate[]>, numLikely: ?number, rule: Rule}}
 * candidates best first; of those at the finest rank the first `numLikely` are the short list; `rule` as findRule gives it
 */
export function conclude(logits, labels, calibration, told = {}) {
  const order = climb(labels);
  const rule = labels.kept ? calibration.rules.fallback : findRule(calibration, told); // of a part, nothing was measured
  const summed = sumUpTree(splitByRank(logits, labels), labels, calibration.temperatures);
  const byRank = {};
  for (const rank of order) {
    byRank[rank] = labels.classes[rank]
      .map((name, i) => ({ rank, name, probability: summed[rank][i], lineage: lineage(name, rank, labels, order) }))
      .sort((a, b) => b.probability - a.probability);
  }
  const numLikely = countMembers(byRank[order[0]], rule.set_limit, calibration.set_penalty);
  const broadest = byRank[order.at(-1)];
  if ((told.familiarity ?? Infinity) < (rule.min_familiarity ?? -Infinity)) {
    return { verdict: 'strange', best: broadest.find(({ name }) => name === OTHER), byRank, numLikely, rule };
  }
  for (const rank of order) {
    const named = byRank[rank].find(({ name }) => name !== OTHER);
    if (named?.probability >= (rule.thresholds[rank] ?? Infinity)) return { verdict: 'taxon', best: named, byRank, numLikely, rule };
  }
  const [best] = broadest;
  return { verdict: best.name === OTHER ? 'outside' : 'unsure', best, byRank, numLikely, rule };
}

/**
 * How many of `candidates`, the likeliest first, are on the short list, at least one: while their probabilities, and the
 * penalty for each after the first, add up to at most the limit.
 */
function countMembers(candidates, limit, penalty) {
  if (limit == null) return null;
  let sum = -penalty;
  const beyond = candidates.findIndex(({ probability }) => (sum += probability + penalty) > limit);
  return Math.max(1, beyond < 0 ? candidates.length : beyond);
}

function lineage(name, rank, { parents }, order) {
  const above = parents[rank]?.[name] ?? {};
  const higher = order.filter((each) => each !== rank && above[each]).reverse();
  return [...higher.map((each) => ({ rank: each, name: above[each] })), { rank, name }];
}
