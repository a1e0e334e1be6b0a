// Small things that the reader chose, for the next visit, where the browser keeps anything at all.

/** What was remembered under a key; null for nothing. */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // cookies are blocked, and this with them
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice holds until the page is closed.
  }
}
