"""The page on which a person plays the citizen, and an officer who answers in the platform's own tool."""

_HTML = """<!doctype html>
<html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>__TITLE__ (giả lập)</title>
<style>
body{font:16px/1.45 system-ui,sans-serif;max-width:44rem;margin:0 auto;padding:1rem;background:#f3f5f9;color:#1b2433}
h1{font-size:1.2rem} #log{min-height:18rem;background:#fff;border:1px solid #ccd3de;border-radius:8px;padding:.75rem}
.row{margin:.4rem 0;white-space:pre-wrap;overflow-wrap:anywhere} .row p{display:inline-block;margin:0;padding:.5rem;
border-radius:12px;max-width:85%;
background:#e8ecf3;text-align:left} .me{text-align:right} .me p{background:#cfe5ff}
form,.bar{display:flex;gap:.5rem;margin:.6rem 0;flex-wrap:wrap} input{font:inherit;padding:.5rem;flex:1;min-width:10rem}
button{font:inherit;padding:.45rem .8rem;border:1px solid #2463b0;border-radius:8px;background:#fff;color:#174a88}
small{color:#5a6678}
</style>
<h1>__TITLE__ <small>(giả lập, không nối với nền tảng thật)</small></h1>
<div class="bar"><label>Người dân số <input id="user" value="1000000000000000001" size="22"></label></div>
<div id="log" aria-live="polite"></div>
<form id="say"><input id="text" placeholder="Nhắn cho tổng đài…" autocomplete="off" autofocus>
<button>Gửi</button></form>
<div class="bar">
<button data-do="follow">Quan tâm / Bắt đầu</button><button data-do="sticker">Gửi nhãn dán</button>
<button data-do="location">Gửi vị trí</button><button data-do="see">Mở xem tin</button>
<button data-do="officer">Cán bộ trả lời trong công cụ của nền tảng</button></div>
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
async function poll() {
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
      row.append(document.createElement("br"), press);
    }
    log.append(row);
    row.scrollIntoView({block: "end"});
  }
}
setInterval(poll, 500);
</script></html>"""


def html(title: str) -> str:
    """The page for one platform; it talks to the same server's `/_sim/…`."""
    return _HTML.replace("__TITLE__", title)
