// What a message looks like. Everything a person wrote becomes text nodes, never HTML.

import { linkify } from "./linkify.js";

export const ZONE = "Asia/Ho_Chi_Minh";
const WHO = { citizen: "Bạn", bot: "Trợ lý tự động", operator: "Cán bộ trực", system: "Hệ thống" };
const FILES = { image: "Hình ảnh", gif: "Hình ảnh", audio: "Ghi âm", video: "Video", file: "Tệp" };
const STATES = { sending: "Đang gửi…", sent: "Đã gửi", waiting: "Chưa gửi được.", failed: "Không gửi được." };
const clock = new Intl.DateTimeFormat("vi-VN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hour12: false });
const dayKey = new Intl.DateTimeFormat("sv-SE", { timeZone: ZONE });
const dayName = new Intl.DateTimeFormat("vi-VN", { timeZone: ZONE, weekday: "long", day: "2-digit", month: "2-digit", year: "numeric" });

/** h("p", {class: "x", onclick: f}, "text", element) */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((one) => one !== null && one !== undefined));
  return element;
}

/** A text with its addresses and telephone numbers clickable. */
export function rich(text) {
  return linkify(text).map(({ text: piece, href }) => {
    if (!href) return document.createTextNode(piece);
    return /^https?:/i.test(href) ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, piece) : h("a", { href }, piece);
  });
}

/** An <li>. `act`: choose(title, payload, button), rate(id, helped), retry(), askPerson(), say(text). */
export function messageElement(message, act) {
  const element = h("li", { class: `message from-${message.from}` });
  element.when = new Date(message.created_at);
  const text = h("div", { class: "bubble" }, ...rich(message.text || (message.attachments?.length ? "" : "…")));
  element.append(h("p", { class: message.from === "citizen" ? "who hidden" : "who" }, WHO[message.from] ?? WHO.system));
  if (message.text || !message.attachments?.length) element.append(text);
  if (message.attachments?.length) element.append(files(message.attachments));
  if (message.ticket) element.append(ticketCard(message.ticket, act));
  if (message.choices?.length) element.append(choices(message.choices, act));
  element.append(h("p", { class: "under" }, h("time", { datetime: element.when.toISOString() }, clock.format(element.when))));
  if (message.ask_helpful) element.append(helpful(message, act));
  return element;
}

/** Where one of the citizen's messages stands: "sending", "sent", "waiting" (tries again by itself) or "failed". */
export function showState(element, state, act, why = "") {
  for (const one of Object.keys(STATES)) element.classList.toggle(one, one === state);
  const under = element.querySelector(".under");
  for (const old of under.querySelectorAll(".state, .retry")) old.remove();
  under.append(h("span", { class: "state" }, `· ${why || STATES[state]}`));
  if (state === "waiting") under.append(h("button", { type: "button", class: "retry", onclick: act.retry }, "Thử lại"));
  if (state === "failed") under.append(h("button", { type: "button", class: "retry", onclick: act.edit }, "Sửa và gửi lại"));
}

function choices(list, act) {
  const group = h("ul", { class: "choices", "aria-label": "Chọn một mục" });
  for (const { title, payload } of list) {
    const button = h("button", { type: "button", class: "chip" }, title);
    button.addEventListener("click", () => {
      for (const one of group.querySelectorAll(".chip")) one.classList.toggle("picked", one === button);
      act.choose(title, payload);
    });
    group.append(h("li", {}, button));
  }
  return group;
}

function files(list) {
  return h("ul", { class: "files" }, ...list.map(({ kind, name, url }) => {
    const label = [FILES[kind] ?? "Đính kèm", name].filter(Boolean).join(": ");
    const safe = url && (/^https?:\/\//i.test(url) || /^\/(?!\/)/.test(url));
    return h("li", { class: "bubble" }, safe ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label) : label);
  }));
}

function ticketCard(code, act) {
  const copy = h("button", { type: "button" }, "Chép mã");
  copy.addEventListener("click", async () => act.say((await copyText(code)) ? `Đã chép mã ${code}.` : `Hãy ghi lại mã ${code}.`));
  return h("div", { class: "ticket", role: "group", "aria-label": `Phiếu ${code}` },
    h("small", {}, "Mã phiếu của bạn"), h("b", {}, code), h("small", {}, "Giữ mã này để xem kết quả, kể cả khi gọi điện."),
    h("div", { class: "actions" }, copy, h("a", { href: `/tra-cuu?ma=${encodeURIComponent(code)}`, target: "_blank", rel: "noopener" }, "Tra cứu")));
}

function helpful(message, act) {
  const box = h("div", { class: "helpful", role: "group", "aria-label": "Đánh giá câu trả lời" });
  const settle = (helped, focus) => {
    const thanks = h("p", { tabindex: "-1" }, helped ? "Bạn chọn: Có. Cảm ơn bạn!" : "Bạn chọn: Không. Cảm ơn bạn đã cho biết.");
    box.replaceChildren(thanks);
    if (!helped) box.append(h("button", { type: "button", onclick: act.askPerson }, "Gặp cán bộ"));
    if (focus) thanks.focus({ preventScroll: true });
  };
  const ask = () => {
    const answer = (helped) => async () => {
      if (await act.rate(message.id, helped)) settle(helped, true);
    };
    box.replaceChildren(h("p", {}, "Câu trả lời có giúp được bạn không?"),
      h("button", { type: "button", onclick: answer(true) }, "Có"), h("button", { type: "button", onclick: answer(false) }, "Không"));
  };
  if (message.helpful === null || message.helpful === undefined) ask();
  else settle(message.helpful, false);
  return box;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // No permission, or no HTTPS: the old way.
    const field = h("textarea", { readonly: true, class: "hidden" });
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

/** Day separators, and no repeated names: over the whole list, after messages were added. */
export function tidy(list, now = new Date()) {
  for (const old of list.querySelectorAll(".day")) old.remove();
  const today = dayKey.format(now);
  const yesterday = dayKey.format(new Date(now.getTime() - 86400000));
  let previous = null;
  for (const element of [...list.children]) {
    const day = dayKey.format(element.when);
    const isNewDay = !previous || dayKey.format(previous.when) !== day;
    if (isNewDay) {
      const name = day === today ? "Hôm nay" : day === yesterday ? "Hôm qua" : capital(dayName.format(element.when));
      element.before(h("li", { class: "day" }, name));
    }
    element.classList.toggle("same", !isNewDay && previous.classList[1] === element.classList[1]);
    previous = element;
  }
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
