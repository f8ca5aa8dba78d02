// The chat's HTTP interface, as docs/webchat.md describes it.

const TIMEOUT_MS = 20000;
const SILENCE_MS = 40000; // the server's heart beats every 15 s
const FIRST_BYTE_MS = 7000; // later than this, a proxy is holding the stream back

/** The server said no; `message` is for the person, in Vietnamese. */
export class Refusal extends Error {
  constructor(status, message, retryAfterS) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** The stream is held back somewhere on the way: fetch instead. */
export class StreamHeld extends Error {}

async function ask(method, path, { token, body } = {}) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await fetch(`/api/v1${path}`, {
      method, headers, signal: abort.signal, cache: "no-store", credentials: "omit",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (response.status === 204) return null;
    const answer = await response.json().catch(() => null);
    if (response.ok && answer) return answer;
    throw new Refusal(response.status, answer?.message ?? "Hệ thống đang bận. Vui lòng thử lại.", Number(response.headers.get("Retry-After")) || 0);
  } finally {
    clearTimeout(timer);
  }
}

export const createSession = async () => (await ask("POST", "/chat/sessions")).token;
export const suggestions = async () => (await ask("GET", "/chat/suggestions")).suggestions;
export const ticket = (code) => ask("GET", `/tickets/${encodeURIComponent(code)}`);
export const messages = (token, after) => ask("GET", `/chat/messages?after=${after}`, { token });
export const rate = (token, id, helped) => ask("POST", `/chat/messages/${id}/helpful`, { token, body: { helped } });
export const send = (token, { id, text, payload }) =>
  ask("POST", "/chat/messages", { token, body: { client_message_id: id, text, payload: payload ?? null } });

/**
 * Live messages until the connection ends. fetch rather than EventSource: the token stays out of addresses and logs.
 * `on.open()`, `on.message(message)`, `on.typing()`; returns when the server closes, throws when the line breaks.
 */
export async function listen(token, after, on, abort) {
  let timer = setTimeout(() => abort.abort(new StreamHeld()), FIRST_BYTE_MS);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error("silence")), SILENCE_MS);
  };
  try {
    const response = await fetch(`/api/v1/chat/events?after=${after}`, {
      headers: { Authorization: `Bearer ${token}`, Accept: "text/event-stream" }, signal: abort.signal, cache: "no-store", credentials: "omit",
    });
    if (!response.ok || !response.body) throw new Refusal(response.status, "", Number(response.headers.get("Retry-After")) || 0);
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    for (let first = true; ; first = false) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      if (first) on.open();
      const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) deliver(block, on);
    }
  } catch (error) {
    throw abort.signal.aborted && abort.signal.reason instanceof Error ? abort.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function deliver(block, on) {
  const lines = block.split("\n");
  const field = (name) => lines.filter((one) => one.startsWith(`${name}: `)).map((one) => one.slice(name.length + 2)).join("\n");
  if (field("event") === "message") on.message(JSON.parse(field("data")));
  if (field("event") === "typing") on.typing();
}
