// The chat: joins what is kept (store), what is asked (api) and what is seen (view).

import * as api from "./api.js";
import * as store from "./store.js";
import { h, messageElement, showState, tidy } from "./view.js";

const OVERLAP = 20; // on reconnecting, the last messages are asked for again: a row may become visible after a newer one
const RETRY_S = [1, 2, 4, 8, 15];
const POLL_MS = 3000;
const TYPING_MS = 12000;
const PERSON = "Gặp cán bộ";

const $ = (id) => document.getElementById(id);
const list = $("messages"), scroller = $("scroll"), field = $("text");
const embedded = new URLSearchParams(location.search).has("embed");
const maxChars = Number(document.body.dataset.maxChars) || 4000;
const title = document.title;

const shown = new Map(); // message id → element
const unsent = new Map(); // our own id → element
let outbox = store.readOutbox();
let token = store.read("token");
let flushing = false, failures = 0, retryTimer = 0, typingTimer = 0, unread = 0;
let wake = () => {}; // ends the present pause between two connections
let line = null; // AbortController of the present stream

/* ---- sending: one after the other, in order, until accepted ---- */

const act = {
  choose: (text, payload) => submit(text, payload),
  askPerson: () => { submit(PERSON); field.focus({ preventScroll: true }); },
  retry: () => { failures = 0; flush(); },
  rate: async (id, helped) => {
    try {
      await api.rate(token, id, helped);
      notice("");
      return true;
    } catch (error) {
      notice(error instanceof api.Refusal ? error.message : "Chưa lưu được đánh giá. Bạn thử lại khi có mạng nhé.");
      return false;
    }
  },
  say: (text) => notice(text, 4000),
};

function submit(text, payload = null) {
  const item = { id: store.newId(), text, payload, at: new Date().toISOString() };
  outbox.push(item);
  store.writeOutbox(outbox);
  showUnsent(item);
  toEnd();
  $("suggestions").hidden = true;
  notice("");
  flush();
}

function showUnsent(item) {
  const element = messageElement({ from: "citizen", text: item.text, created_at: item.at }, act);
  unsent.set(item.id, element);
  list.append(element);
  mark(item, item.refused ? "failed" : "sending", item.refused);
  tidy(list);
}

function mark(item, state, why = "") {
  const element = unsent.get(item.id);
  if (element) showState(element, state, { ...act, edit: () => edit(item) }, why);
}

function edit(item) {
  drop(item);
  unsent.get(item.id)?.remove();
  unsent.delete(item.id);
  field.value = item.text;
  grow();
  field.focus();
}

function drop(item) {
  outbox = outbox.filter((one) => one.id !== item.id);
  store.writeOutbox(outbox);
}

async function flush() {
  if (flushing) return;
  flushing = true;
  clearTimeout(retryTimer);
  try {
    for (let item; (item = outbox.find((one) => !one.refused)); ) {
      mark(item, "sending");
      try {
        if (!token) await openSession();
        const { id } = await api.send(token, item);
        drop(item);
        accepted(item, id);
        failures = 0;
      } catch (error) {
        if (error instanceof api.Refusal && error.status === 401 && failures < 3) {
          failures += 1;
          sessionEnded();
        } else if (error instanceof api.Refusal && error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status)) {
          item.refused = error.message;
          store.writeOutbox(outbox);
          mark(item, "failed", error.message);
        } else {
          for (const one of outbox) if (!one.refused) mark(one, "waiting");
          if (error instanceof api.Refusal) notice(error.message, 8000);
          const pause = error.retryAfterS || RETRY_S[Math.min(failures, RETRY_S.length - 1)];
          failures += 1;
          retryTimer = setTimeout(flush, pause * 1000);
          return;
        }
      }
    }
  } finally {
    flushing = false;
  }
}

async function openSession() {
  token = await api.createSession(); // before wake(): who wakes looks for it
  store.write("token", token);
  if (!store.lasting) notice("Trình duyệt không cho lưu dữ liệu: đóng trang là mất cuộc trò chuyện này.");
  wake();
}

function sessionEnded() {
  if (shown.size) notice("Phiên trước đã hết hạn; tin mới bắt đầu một cuộc trò chuyện mới.");
  token = null;
  store.forget("token");
  line?.abort();
}

function accepted(item, id) {
  const element = unsent.get(item.id);
  unsent.delete(item.id);
  if (!element) return;
  showState(element, "sent", act);
  if (shown.has(id)) element.remove(); // the stream was faster than the answer to our own request
  else place(element, id);
  tidy(list);
}

/* ---- receiving ---- */

function receive(messages, { isHistory = false } = {}) {
  const fresh = messages.filter((one) => !shown.has(one.id));
  if (!fresh.length) return;
  const wasAtEnd = atEnd();
  let last = null;
  for (const message of fresh) {
    const mine = message.from === "citizen" ? outbox.find((one) => isSame(one, message)) : null;
    if (mine) {
      drop(mine);
      accepted(mine, message.id);
      continue;
    }
    last = messageElement(message, act);
    if (message.from === "citizen") showState(last, "sent", act);
    else hideTyping();
    place(last, message.id);
  }
  $("suggestions").hidden = true;
  tidy(list);
  if (isHistory || !last) return;
  if (wasAtEnd) follow(last);
  else $("newer").hidden = false;
  if (document.hidden || (embedded && !document.hasFocus())) tellUnread(unread + fresh.filter((one) => one.from !== "citizen").length);
}

/** Is this row the message we are still trying to send? Then its 202 was lost, or is slower than the stream. */
function isSame(item, message) {
  return message.client_message_id ? item.id === message.client_message_id : item.text === message.text && unsent.has(item.id);
}

/** Put an element where its id belongs; unsent ones stay last. */
function place(element, id) {
  shown.set(id, element);
  element.dataset.id = id;
  let next = null;
  for (let one = list.lastElementChild; one; one = one.previousElementSibling) {
    if (one === element || one.classList.contains("day")) continue;
    if (one.dataset.id && Number(one.dataset.id) < id) break;
    next = one;
  }
  if (element.parentNode !== list || following(element) !== next) list.insertBefore(element, next);
}

function following(element) {
  let one = element.nextElementSibling;
  while (one?.classList.contains("day")) one = one.nextElementSibling;
  return one;
}

function overlapId() {
  const ids = [...shown.keys()].sort((a, b) => a - b);
  return ids.length > OVERLAP ? ids[ids.length - OVERLAP] : 0;
}

async function catchUp(isHistory) {
  for (let after = overlapId(); ; ) {
    const { messages, more } = await api.messages(token, after);
    receive(messages, { isHistory });
    if (!more || !messages.length) return;
    after = messages.at(-1).id;
  }
}

/** Stay connected as long as the page is open. */
async function stay() {
  let isFirst = true, attempt = 0, polls = 0;
  for (;;) {
    let pause = 0;
    try {
      if (!token) {
        await sleep(3600000);
        continue;
      }
      await catchUp(isFirst);
      if (isFirst) toEnd();
      isFirst = false;
      status("");
      if (polls > 0) {
        polls -= 1;
        pause = POLL_MS;
      } else {
        line = new AbortController();
        await api.listen(token, overlapId(), {
          open: () => { attempt = 0; status(""); if (outbox.length) act.retry(); },
          message: (message) => receive([message]),
          typing: showTyping,
        }, line);
        pause = 300;
      }
    } catch (error) {
      if (error instanceof api.Refusal && error.status === 401) sessionEnded();
      else if (error instanceof api.StreamHeld) polls = 40; // two minutes of asking, then another try
      else {
        status("Mất kết nối, đang nối lại…");
        pause = Math.max(error.retryAfterS ?? 0, RETRY_S[Math.min(attempt, RETRY_S.length - 1)]) * 1000;
        attempt += 1;
      }
    }
    if (pause) await sleep(pause);
  }
}

function sleep(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => { clearTimeout(timer); resolve(); };
  });
}

/* ---- what the person sees around the messages ---- */

function status(text) {
  const line = $("status");
  line.dataset.usual ??= line.textContent;
  const wanted = text || line.dataset.usual;
  if (line.textContent !== wanted) line.textContent = wanted;
}

let noticeTimer = 0;
function notice(text, ms = 0) {
  clearTimeout(noticeTimer);
  $("notice").textContent = text;
  if (ms) noticeTimer = setTimeout(() => { $("notice").textContent = ""; }, ms);
}

function showTyping() {
  const wasAtEnd = atEnd();
  $("typing").hidden = false;
  clearTimeout(typingTimer);
  typingTimer = setTimeout(hideTyping, TYPING_MS);
  if (wasAtEnd) toEnd();
}

function hideTyping() {
  clearTimeout(typingTimer);
  $("typing").hidden = true;
}

const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 90;
function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
}

/** Show a new message from its beginning, even when it is longer than the screen. */
function follow(element) {
  if (element.offsetHeight > scroller.clientHeight - 40) scroller.scrollTop = element.offsetTop - scroller.offsetTop - 8;
  else toEnd();
}

function tellUnread(count) {
  unread = count;
  document.title = count ? `(${count}) ${title}` : title;
  if (embedded) parent.postMessage({ tongdai: "unread", count }, "*"); // only a number: any page may know it
}

function grow() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight + 2}px`;
  const length = [...field.value.trim()].length;
  const isOver = length > maxChars;
  $("count").textContent = length > maxChars * 0.85 ? `${length.toLocaleString("vi-VN")} / ${maxChars.toLocaleString("vi-VN")} ký tự${isOver ? ": dài quá, bạn hãy chia thành nhiều tin" : ""}` : "";
  $("count").classList.toggle("over", isOver);
  field.setAttribute("aria-invalid", String(isOver));
  return isOver;
}

async function suggest() {
  if (token || outbox.length) return;
  try {
    const questions = await api.suggestions();
    $("suggestions").replaceChildren(...questions.slice(0, 5).map((one) => h("button", { type: "button", class: "chip", onclick: () => { submit(one); field.focus({ preventScroll: true }); } }, one)));
    $("suggestions").hidden = !questions.length || shown.size > 0 || unsent.size > 0;
  } catch {
    // Only a convenience: the field is there.
  }
}

function forgetAll() {
  store.forget("token");
  store.forget("outbox");
  location.reload();
}

/* ---- wiring ---- */

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (!text || grow()) return field.focus();
  field.value = "";
  grow();
  submit(text);
  field.focus({ preventScroll: true });
});
field.addEventListener("input", grow);
field.addEventListener("keydown", (event) => {
  // 229: an input method (Telex, VNI) is still composing a letter, Enter belongs to it.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  $("composer").requestSubmit();
});
scroller.addEventListener("scroll", () => { if (atEnd()) $("newer").hidden = true; }, { passive: true });
$("newer").addEventListener("click", () => { toEnd(); $("newer").hidden = true; scroller.focus({ preventScroll: true }); });
$("forget").addEventListener("click", () => {
  $("menu").open = false;
  const dialog = $("confirm");
  if (!dialog.showModal) return confirm("Xoá trò chuyện trên máy này?") && forgetAll();
  dialog.returnValue = "";
  dialog.showModal();
});
$("confirm").addEventListener("close", () => { if ($("confirm").returnValue === "yes") forgetAll(); });
document.addEventListener("click", (event) => { if (!$("menu").contains(event.target)) $("menu").open = false; });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if ($("menu").open) {
    $("menu").open = false;
    $("menu").querySelector("summary").focus();
  } else if (embedded && !$("confirm").open) parent.postMessage({ tongdai: "close" }, "*");
});
const seen = () => { if (!document.hidden) tellUnread(0); };
window.addEventListener("focus", seen);
document.addEventListener("visibilitychange", () => {
  seen();
  wake();
  if (!document.hidden && token) catchUp(false).catch(() => line?.abort()); // a phone that slept may hold a dead line
});
window.addEventListener("online", () => { act.retry(); wake(); });
window.addEventListener("offline", () => { status("Không có mạng. Tin của bạn sẽ được gửi khi có mạng."); line?.abort(); });
window.addEventListener("storage", (event) => { if (event.key === "tongdai.token" && event.newValue !== token) location.reload(); });
window.visualViewport?.addEventListener("resize", () => { // the keyboard of an iPhone covers the page instead of resizing it
  const wasAtEnd = atEnd();
  document.documentElement.style.setProperty("--height", `${window.visualViewport.height}px`);
  if (wasAtEnd) toEnd();
});
if (embedded) {
  $("close").hidden = false;
  $("close").addEventListener("click", () => parent.postMessage({ tongdai: "close" }, "*"));
  window.addEventListener("message", (event) => { if (event.source === parent && event.data?.tongdai === "opened") { seen(); field.focus(); } });
}

for (const item of outbox) showUnsent(item);
suggest();
stay();
if (outbox.length) flush();
