// Sound, tab title and tab icon of the console. No library, no third-party host.
window.console1022 = (() => {
  const KEY = "console1022.sound";
  const LAST = "console1022.last"; // kept over page changes: who comes meanwhile is heard as well
  let audio = null, plainTitle = null;
  const soundOn = () => localStorage.getItem(KEY) !== "off";

  function tone(from, frequency, seconds) {
    const oscillator = audio.createOscillator(), gain = audio.createGain();
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0.0001, from);
    gain.gain.exponentialRampToValueAtTime(0.25, from + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0001, from + seconds);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(from);
    oscillator.stop(from + seconds);
  }

  // Two soft tones for somebody who waits, six sharp ones for an emergency: told apart without looking.
  async function beep(urgent) {
    if (!soundOn()) return;
    try {
      audio = audio || new AudioContext();
      await audio.resume();
      const start = audio.currentTime + 0.02;
      (urgent ? [988, 784, 988, 784, 988, 784] : [659, 880]).forEach((f, i) => tone(start + i * 0.17, f, 0.16));
    } catch { /* the browser plays nothing before the first click */ }
  }

  function icon(count, urgent) {
    const dot = count ? `<circle cx="24" cy="8" r="8" fill="${urgent ? "#e02424" : "#f59e0b"}"/>
      <text x="24" y="12" font-size="11" font-weight="bold" font-family="sans-serif" text-anchor="middle" fill="#fff">${count > 9 ? "9+" : count}</text>` : "";
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b57a4"/><path d="M8 9h16v11H15l-5 4v-4H8z" fill="#fff"/>${dot}</svg>`;
    document.querySelectorAll("link[rel~=icon]").forEach((one) => one.remove());
    const link = document.createElement("link");
    link.rel = "icon";
    link.href = "data:image/svg+xml," + encodeURIComponent(svg);
    document.head.append(link);
  }

  function waiting(count, urgent) {
    plainTitle = plainTitle ?? document.title;
    document.title = count ? `(${count}) ${urgent ? "🔴 " : ""}${plainTitle}` : plainTitle;
    icon(count, urgent);
    const badge = document.getElementById("c-waiting");
    if (badge) {
      badge.hidden = !count;
      badge.textContent = count > 99 ? "99+" : count;
      badge.classList.toggle("c-urgent", urgent > 0);
    }
    const last = JSON.parse(sessionStorage.getItem(LAST) || "null");
    if (last && (urgent > last.urgent || count > last.count)) beep(urgent > last.urgent);
    sessionStorage.setItem(LAST, JSON.stringify({ count, urgent }));
  }

  function undelivered(count) {
    const badge = document.getElementById("c-undelivered");
    if (!badge) return;
    badge.hidden = !count;
    badge.textContent = count > 49 ? "50+" : count;
  }

  function showSound() {
    const button = document.querySelector(".c-sound");
    if (!button) return;
    button.classList.toggle("c-off", !soundOn());
    button.title = soundOn() ? "Âm báo đang bật" : "Âm báo đang tắt";
    const glyph = button.querySelector(".q-icon");
    if (glyph) glyph.textContent = soundOn() ? "volume_up" : "volume_off";
  }

  function toggleSound() {
    localStorage.setItem(KEY, soundOn() ? "off" : "on");
    showSound();
    beep(false);
  }

  const ready = setInterval(() => {
    if (document.querySelector(".c-sound .q-icon")) { clearInterval(ready); showSound(); }
  }, 100);
  return { waiting, undelivered, toggleSound, beep };
})();
