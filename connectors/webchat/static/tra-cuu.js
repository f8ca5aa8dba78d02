// The look-up of a ticket by its code.

import { ticket } from "./api.js";
import { ZONE } from "./view.js";

const $ = (id) => document.getElementById(id);
const moment = new Intl.DateTimeFormat("vi-VN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", day: "2-digit", month: "2-digit", year: "numeric", hour12: false });

/** "14:05 ngày 03/11/2026", as elsewhere in the house. */
function say(iso) {
  const part = Object.fromEntries(moment.formatToParts(new Date(iso)).map(({ type, value }) => [type, value]));
  return `${part.hour}:${part.minute} ngày ${part.day}/${part.month}/${part.year}`;
}

async function look(code) {
  $("problem").textContent = "";
  $("lookup").setAttribute("aria-busy", "true");
  try {
    show(await ticket(code));
    history.replaceState(null, "", `/tra-cuu?ma=${encodeURIComponent(code)}`);
  } catch (error) {
    $("result").hidden = true;
    $("problem").textContent = error.status ? error.message : "Chưa kết nối được. Bạn kiểm tra mạng rồi thử lại nhé.";
    $("code").setAttribute("aria-invalid", "true");
    $("code").focus();
  } finally {
    $("lookup").removeAttribute("aria-busy");
  }
}

function show(found) {
  $("code").removeAttribute("aria-invalid");
  $("found").textContent = found.code;
  $("state").textContent = found.state_vi;
  $("advice").textContent = found.answered
    ? "Câu trả lời đã được gửi tới bạn qua kênh bạn đã hỏi."
    : "Câu trả lời sẽ được gửi tới bạn qua kênh bạn đã hỏi.";
  $("subject").textContent = found.subject || "Chưa phân loại";
  $("unit").textContent = found.unit || "Đang phân công";
  $("opened").textContent = say(found.opened_at);
  $("promised").textContent = found.promised_at ? say(found.promised_at) : "Chưa hẹn";
  $("result").classList.toggle("answered", found.answered);
  $("result").hidden = false;
  $("result").focus();
}

$("lookup").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = $("code").value.trim();
  if (code) look(code);
});
$("code").addEventListener("input", () => { $("problem").textContent = ""; $("code").removeAttribute("aria-invalid"); });

const asked = new URLSearchParams(location.search).get("ma")?.trim();
if (asked) {
  $("code").value = asked;
  look(asked);
}
