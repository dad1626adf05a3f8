// What this browser keeps between pages: localStorage, or the page's own memory where that is refused or full.
const memory = new Map();

export function read(key, fallback = null) {
  try {
    return JSON.parse(memory.get(key) ?? localStorage.getItem(key)) ?? fallback;
  } catch {
    return fallback;
  }
}

export function write(key, value) {
  const text = JSON.stringify(value);
  try {
    localStorage.setItem(key, text);
    memory.delete(key);
  } catch {
    memory.set(key, text);
  }
}

export function remove(key) {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // refused: then nothing was kept there
  }
}

export function keysFrom(prefix) {
  const kept = [...memory.keys()];
  try {
    kept.push(...Object.keys(localStorage));
  } catch {
    // refused: what there is lies in memory
  }
  return kept.filter((key) => key.startsWith(prefix)).sort();
}
