"""The page on which a person plays the citizen, and an officer who answers in the platform's own tool."""

_HTML = """<!doctype html>
<html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>__TITLE__ (giả lập)</title>
<style>
*{box-sizing:border-box} body{font:16px/1.45 system-ui,sans-serif;margin:0;background:#dfe4ec;color:#1b2433}
main{max-width:30rem;height:100dvh;margin:0 auto;display:flex;flex-direction:column;background:#f3f5f9}
header{padding:.6rem .75rem;background:#1f5aa6;color:#fff} h1{font-size:1.05rem;margin:0} header small{color:#dbe8fa}
header label{display:flex;gap:.5rem;align-items:center;font-size:.85rem;margin-top:.3rem}
header input{font:inherit;flex:1;min-width:0;padding:.2rem .4rem;border:0;border-radius:6px}
#log{flex:1;overflow-y:auto;padding:.75rem}
.row{margin:.4rem 0;display:flex;flex-direction:column;align-items:flex-start;gap:.3rem} .me{align-items:flex-end}
.row p{margin:0;padding:.5rem .7rem;border-radius:14px;max-width:85%;background:#fff;white-space:pre-wrap;
overflow-wrap:anywhere} .me p{background:#cfe5ff} .row button{max-width:85%;text-align:left}
form,.bar{display:flex;gap:.4rem;padding:.4rem .75rem;background:#fff} .bar{flex-wrap:wrap}
#text{font:inherit;padding:.55rem .7rem;flex:1;min-width:0;border:1px solid #98a5b8;border-radius:18px}
button{font:inherit;padding:.45rem .8rem;border:1px solid #2463b0;border-radius:14px;background:#fff;color:#174a88}
form button{background:#1f5aa6;color:#fff} .bar button{font-size:.85rem;padding:.35rem .6rem}
details{background:#fff;border-top:1px solid #d5dbe5} summary{padding:.5rem .75rem;color:#174a88;cursor:pointer}
</style>
<main>
<header><h1>__TITLE__</h1><small>Bộ giả lập, không nối với nền tảng thật</small>
<label>Người dân số <input id="user" value="1000000000000000001" inputmode="numeric"></label></header>
<div id="log" aria-live="polite"></div>
<details><summary>Gửi thứ khác, hoặc làm cán bộ</summary><div class="bar">
<button data-do="follow">Quan tâm / Bắt đầu</button><button data-do="sticker">Gửi nhãn dán</button>
<button data-do="location">Gửi vị trí</button><button data-do="contact">Chia sẻ số điện thoại</button>
<button data-do="see">Mở xem tin</button>
<button data-do="officer">Cán bộ trả lời trong công cụ của nền tảng</button></div></details>
<form id="say"><input id="text" placeholder="Nhắn cho tổng đài…" autocomplete="off" autofocus>
<button>Gửi</button></form>
</main>
<script>
const log = document.getElementById("log"), user = document.getElementById("user");
let after = 0;
const post = (path, body) => fetch("/_sim/" + path, {method: "POST",
  headers: {"content-type": "application/json"}, body: JSON.stringify({user: user.value, ...body})});
user.onchange = () => { after = 0; log.replaceChildren(); };
document.getElementById("say").onsubmit = async event => {
  event.preventDefault();
  const box = document.getElementById("text");
  if (box.value.trim()) await post("say", {text: box.value});
  box.value = "";
};
document.querySelectorAll("[data-do]").forEach(one => one.onclick = () => {
  const what = one.dataset.do;
  if (what === "see") return post("see", {});
  if (what === "officer") return post("officer", {text: prompt("Cán bộ viết:") || "Chào bác"});
  return post("play", {what});
});
async function look() {
  const found = await (await fetch(`/_sim/messages?user=${encodeURIComponent(user.value)}&after=${after}`)).json();
  for (const one of found) {
    after = one.n;
    const row = document.createElement("div"), said = document.createElement("p");
    row.className = one.from_oa ? "row" : "row me";
    said.textContent = one.text.replace(/^#chon:.*\\|/, "") || `[${one.kind}]`;
    row.append(said);
    for (const button of one.buttons || []) {
      const press = document.createElement("button");
      press.textContent = button.title;
      press.onclick = () => post("press", {message: one.id, title: button.title});
      row.append(press);
    }
    log.append(row);
    row.scrollIntoView({block: "end"});
  }
}
// One look after the other: two at once would show the same message twice.
const poll = () => look().finally(() => setTimeout(poll, 500));
poll();
</script></html>"""


def html(title: str) -> str:
    """The page for one platform; it talks to the same server's `/_sim/…`."""
    return _HTML.replace("__TITLE__", title)
