// What the page keeps on this device. Where the browser forbids storage, it is kept until the page closes.

const memory = new Map();

function probe() {
  try {
    localStorage.setItem("tongdai.probe", "1");
    localStorage.removeItem("tongdai.probe");
    return true;
  } catch {
    return false;
  }
}

/** False when nothing outlives the page: the citizen is told. */
export const lasting = probe();

export function read(key) {
  if (!lasting) return memory.get(key) ?? null;
  return localStorage.getItem(`tongdai.${key}`);
}

export function write(key, value) {
  memory.set(key, value);
  try {
    if (lasting) localStorage.setItem(`tongdai.${key}`, value);
  } catch {
    // Full: the copy in memory has to do.
  }
}

export function forget(key) {
  memory.delete(key);
  if (lasting) localStorage.removeItem(`tongdai.${key}`);
}

/** Messages not yet accepted: [{id, text, payload, at, refused}]. They survive a reload. */
export function readOutbox() {
  try {
    const items = JSON.parse(read("outbox") ?? "[]");
    return Array.isArray(items) ? items.filter((one) => one && typeof one.id === "string") : [];
  } catch {
    return [];
  }
}

export function writeOutbox(items) {
  if (items.length) write("outbox", JSON.stringify(items));
  else forget("outbox");
}

/** An id nobody else has; works without HTTPS, where crypto.randomUUID is missing. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}
