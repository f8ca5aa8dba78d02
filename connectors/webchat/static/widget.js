// <script src="https://…/widget.js" async></script> on any page puts a chat button in its corner.
// Options on the same tag: data-label="Hỏi đáp 1022", data-side="left", data-bottom="24" (pixels).
// The chat itself runs in a frame from our own address: the page around it can't read it, and its styles can't break it.
(() => {
  "use strict";
  const tag = document.currentScript;
  if (!tag || window.tongdaiWidget) return;
  window.tongdaiWidget = true;
  const home = new URL(tag.src).origin;
  const label = tag.dataset.label || "Hỏi đáp 1022";
  const side = tag.dataset.side === "left" ? "left" : "right";
  const bottom = Math.max(0, Number(tag.dataset.bottom) || 16);

  const STYLE = `
    :host { all: initial; }
    button { position: fixed; ${side}: calc(16px + env(safe-area-inset-${side})); bottom: calc(${bottom}px + env(safe-area-inset-bottom));
      z-index: 2147483000; display: flex; align-items: center; gap: 10px; min-height: 56px; padding: 0 20px; border: 0; border-radius: 28px;
      background: #0b5394; color: #fff; font: 600 16px/1.2 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; cursor: pointer;
      box-shadow: 0 6px 22px rgb(0 0 0 / 28%); }
    button:hover { background: #08406f; }
    button:focus-visible { outline: 3px solid #b45309; outline-offset: 3px; }
    svg { width: 24px; height: 24px; fill: currentColor; flex: none; }
    b { display: grid; place-items: center; min-width: 22px; height: 22px; padding: 0 6px; box-sizing: border-box; border-radius: 11px; background: #fff; color: #97191b; font-size: 13px; }
    [hidden] { display: none !important; }
    iframe { position: fixed; ${side}: calc(16px + env(safe-area-inset-${side})); bottom: calc(${bottom}px + env(safe-area-inset-bottom));
      z-index: 2147483001; width: 400px; height: min(680px, calc(100vh - ${bottom + 16}px)); border: 0; border-radius: 16px; background: #fff;
      box-shadow: 0 12px 44px rgb(0 0 0 / 32%); color-scheme: normal; }
    @media (max-width: 520px) { iframe { inset: 0; width: 100%; height: 100%; border-radius: 0; } }
  `;

  function build() {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    try {
      const sheet = new CSSStyleSheet(); // allowed under any style-src of the page around us
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
    } catch {
      root.append(Object.assign(document.createElement("style"), { textContent: STYLE }));
    }
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-haspopup", "dialog");
    button.setAttribute("aria-expanded", "false");
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", "M12 3C6.5 3 2 6.7 2 11.2c0 2.6 1.5 4.9 3.8 6.4L5 22l4.7-2.7c.7.1 1.5.2 2.3.2 5.5 0 10-3.7 10-8.3S17.5 3 12 3z");
    icon.append(path);
    const badge = document.createElement("b");
    badge.hidden = true;
    button.append(icon, label, badge);
    root.append(button);
    document.body.append(host);

    let frame = null;

    function open() {
      if (!frame) {
        frame = document.createElement("iframe"); // made at the first click: pages pay nothing for a chat nobody opens
        frame.src = `${home}/?embed=1`;
        frame.title = label;
        frame.allow = `clipboard-write ${home}`;
        frame.addEventListener("load", greet);
        root.append(frame);
      }
      frame.hidden = false;
      button.hidden = true;
      button.setAttribute("aria-expanded", "true");
      frame.focus();
      greet();
    }

    const greet = () => frame.contentWindow.postMessage({ tongdai: "opened" }, home);

    function close() {
      frame.hidden = true;
      button.hidden = false;
      button.setAttribute("aria-expanded", "false");
      button.focus();
    }

    button.addEventListener("click", open);
    window.addEventListener("message", (event) => {
      if (!frame || event.source !== frame.contentWindow || event.origin !== home || !event.data) return;
      if (event.data.tongdai === "close") close();
      if (event.data.tongdai === "unread") {
        const count = Number(event.data.count) || 0;
        badge.hidden = count < 1;
        badge.textContent = String(count);
        button.setAttribute("aria-label", count ? `${label}, ${count} tin chưa đọc` : label);
      }
    });
  }

  if (document.body) build();
  else document.addEventListener("DOMContentLoaded", build);
})();
