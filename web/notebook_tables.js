// The notebook as tables: a CSV for a spreadsheet, and the texts of a Darwin Core Archive (TDWG, Darwin Core text guide, 2009).

/** Licences that finds can be given, by what they are called. */
export const LICENCES = {
  'CC0 1.0': 'https://creativecommons.org/publicdomain/zero/1.0/',
  'CC BY 4.0': 'https://creativecommons.org/licenses/by/4.0/',
  'CC BY-SA 4.0': 'https://creativecommons.org/licenses/by-sa/4.0/',
  'CC BY-NC 4.0': 'https://creativecommons.org/licenses/by-nc/4.0/',
};

/**
 * What the reader says once, for all finds.
 * @typedef {{recorder: string, licence: string}} About `licence` is a key of LICENCES, or empty
 */

/** Names of a find's photos in the archive. */
export const photoNames = (find) => find.photos.map((_, i) => `images/${find.id}-${i + 1}.jpg`);

/** What was named; nothing where the guide was not sure. */
const named = ({ answer }) => (answer.verdict === 'taxon' ? answer : null);

const degrees = (value) => (value == null ? '' : Number(value.toFixed(5))); // a metre

const CSV_COLUMNS = {
  id: (find) => find.id,
  date: (find) => find.taken ?? '',
  month: (find) => find.month ?? '',
  verdict: (find) => find.answer.verdict,
  rank: (find) => find.answer.rank,
  name: (find) => find.answer.name,
  vernacular: (find) => find.answer.vernacular,
  probability: (find) => Number(find.answer.probability.toFixed(4)),
  lineage: (find) => find.answer.lineage.map(({ name }) => name).join(' > '),
  alternatives: (find) => find.alternatives.map(({ name, probability }) => `${name} ${probability.toFixed(4)}`).join('; '),
  latitude: (find) => degrees(find.latitude),
  longitude: (find) => degrees(find.longitude),
  note: (find) => find.note,
  photos: (find) => find.photos.length,
  recorded_by: (_, about) => about.recorder,
  licence: (_, about) => about.licence,
  guide: (find) => find.guide,
  model: (find) => find.model,
  kept: (find) => find.kept,
};

/**
 * Finds as CSV, UTF-8 with the mark by which spreadsheets know it.
 * @param {import('./notebook.js').Find[]} finds
 * @param {About} about
 */
export function writeCsv(finds, about) {
  const rows = finds.map((find) => Object.values(CSV_COLUMNS).map((read) => csvCell(read(find, about))));
  return `\ufeff${[Object.keys(CSV_COLUMNS), ...rows].map((row) => `${row.join(',')}\r\n`).join('')}`;
}

/** With these, and marks before them, a spreadsheet takes a text for a formula. */
const FORMULA = /^'*[=+\-@＝＋－＠]/;

/** A number as it is; a text between quotes, marked as text where a spreadsheet would run it as a formula. */
function csvCell(value) {
  if (typeof value === 'number') return String(value);
  const text = onOneLine(value);
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** Text without what ends a cell or acts on a screen. */
const onOneLine = (value) => String(value).replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').trim();

const DWC = 'http://rs.tdwg.org/dwc/terms/';
const DC = 'http://purl.org/dc/terms/';
const HIGHER_RANKS = ['kingdom', 'phylum', 'class', 'order', 'family', 'genus'];

/** Terms of a row of the core, by address. */
const OCCURRENCE = {
  [`${DWC}occurrenceID`]: (find) => `urn:uuid:${find.id}`,
  [`${DWC}basisOfRecord`]: () => 'HumanObservation',
  [`${DWC}occurrenceStatus`]: () => 'present',
  [`${DWC}eventDate`]: (find) => find.taken ?? '',
  [`${DWC}month`]: (find) => find.month ?? '',
  [`${DWC}scientificName`]: (find) => named(find)?.name ?? '',
  [`${DWC}taxonRank`]: (find) => named(find)?.rank ?? '',
  [`${DWC}vernacularName`]: (find) => named(find)?.vernacular ?? '',
  ...Object.fromEntries(HIGHER_RANKS.map((rank) => [`${DWC}${rank}`, (find) => above(find, rank)])),
  [`${DWC}decimalLatitude`]: (find) => degrees(find.latitude),
  [`${DWC}decimalLongitude`]: (find) => degrees(find.longitude),
  [`${DWC}geodeticDatum`]: (find) => (find.latitude == null ? '' : 'EPSG:4326'),
  [`${DWC}recordedBy`]: (_, about) => about.recorder,
  [`${DWC}identifiedBy`]: (find) => find.guide,
  [`${DWC}dateIdentified`]: (find) => find.kept,
  [`${DWC}identificationVerificationStatus`]: () => 'unverified',
  [`${DWC}occurrenceRemarks`]: (find) => find.note,
  [`${DWC}dynamicProperties`]: ({ answer: { verdict, probability }, alternatives, model }) =>
    JSON.stringify({ verdict, probability, alternatives, model }),
  [`${DC}license`]: (_, about) => LICENCES[about.licence] ?? '',
  [`${DC}rightsHolder`]: (_, about) => about.recorder,
};

const above = (find, rank) => named(find)?.lineage.find((step) => step.rank === rank)?.name ?? '';

/** Terms of a row of the extension: one photo. */
const MULTIMEDIA = {
  [`${DC}identifier`]: (_, __, file) => file,
  [`${DC}type`]: () => 'StillImage',
  [`${DC}format`]: () => 'image/jpeg',
  [`${DC}created`]: (find) => find.taken ?? '',
  [`${DC}creator`]: (_, about) => about.recorder,
  [`${DC}license`]: (_, about) => LICENCES[about.licence] ?? '',
  [`${DC}rightsHolder`]: (_, about) => about.recorder,
};

/**
 * The texts of an archive by the names of their files.
 * @param {import('./notebook.js').Find[]} finds
 * @param {About} about
 * @returns {Object<string, string>}
 */
export function writeDarwinCore(finds, about) {
  const line = (terms, id, ...given) => [id, ...Object.values(terms).map((read) => onOneLine(read(...given)))];
  const occurrences = finds.map((find) => line(OCCURRENCE, find.id, find, about));
  const media = finds.flatMap((find) => photoNames(find).map((file) => line(MULTIMEDIA, find.id, find, about, file)));
  return {
    'meta.xml': META,
    'occurrence.txt': tabbed(['id', ...Object.keys(OCCURRENCE).map(shortName)], occurrences),
    'multimedia.txt': tabbed(['coreid', ...Object.keys(MULTIMEDIA).map(shortName)], media),
  };
}

const shortName = (term) => term.split('/').at(-1);
const tabbed = (header, rows) => [header, ...rows].map((row) => `${row.join('\t')}\n`).join('');

const describe = (tag, rowType, file, key, terms) => `  <${tag} rowType="${rowType}" encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy="" ignoreHeaderLines="1">
    <files><location>${file}</location></files>
    <${key} index="0"/>
${Object.keys(terms).map((term, i) => `    <field index="${i + 1}" term="${term}"/>`).join('\n')}
  </${tag}>`;

const META = `<?xml version="1.0" encoding="UTF-8"?>
<archive xmlns="http://rs.tdwg.org/dwc/text/">
${describe('core', `${DWC}Occurrence`, 'occurrence.txt', 'id', OCCURRENCE)}
${describe('extension', 'http://rs.gbif.org/terms/1.0/Multimedia', 'multimedia.txt', 'coreid', MULTIMEDIA)}
</archive>
`;
