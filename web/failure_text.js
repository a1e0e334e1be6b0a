// Failures in the reader's language.

import { say } from './language.js';

/** What the page says of a failure. */
export function sayFailure({ kind, details }) {
  const said = (detail) => (detail?.key ? say(detail.key, detail.values) : detail);
  return say(`failure.${kind}`, Object.fromEntries(Object.entries(details).map(([name, detail]) => [name, said(detail)])));
}
