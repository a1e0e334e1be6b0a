// From logits to what may honestly be said: a species where the model is sure, else a genus, else a family.

export const OTHER = 'other'; // class 0 of every rank: a taxon that is not in this guide

/** Probabilities of logits that were divided by the calibration's temperature. */
export function softmax(logits, temperature) {
  const top = Math.max(...logits);
  const weights = Array.from(logits, (logit) => Math.exp((logit - top) / temperature));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
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

/** Every rank's classes with their probabilities, best first. The logits hold the ranks one after the other. */
export function candidates(logits, labels, temperature) {
  const count = labels.ranks.reduce((total, rank) => total + labels.classes[rank].length, 0);
  if (count !== logits.length) throw new Error(`the model answers ${logits.length} classes, labels.json names ${count}`);
  const byRank = {};
  const order = climb(labels);
  let start = 0;
  for (const rank of labels.ranks) {
    const names = labels.classes[rank];
    const probabilities = softmax(logits.slice(start, start + names.length), temperature);
    start += names.length;
    byRank[rank] = names
      .map((name, i) => ({ rank, name, probability: probabilities[i], lineage: lineage(name, rank, labels, order) }))
      .sort((a, b) => b.probability - a.probability);
  }
  return byRank;
}

/**
 * The finest taxon of which the model is sure enough; the likeliest one of the broadest rank if it is sure of none.
 * @returns {{best: Candidate, sure: boolean, byRank: Object<string, Candidate[]>}}
 */
export function conclude(logits, labels, { temperature, min_confidence: minConfidence }) {
  const byRank = candidates(logits, labels, temperature);
  const order = climb(labels);
  for (const rank of order) {
    const [top] = byRank[rank];
    if (top.name !== OTHER && top.probability >= minConfidence) return { best: top, sure: true, byRank };
  }
  const best = byRank[order.at(-1)].find(({ name }) => name !== OTHER);
  return { best, sure: false, byRank };
}

function lineage(name, rank, { parents }, order) {
  const above = parents[rank]?.[name] ?? {};
  const higher = order.filter((each) => each !== rank && above[each]).reverse();
  return [...higher.map((each) => ({ rank: each, name: above[each] })), { rank, name }];
}
