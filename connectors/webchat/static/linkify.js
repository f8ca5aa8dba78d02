// Addresses and telephone numbers inside a text, as pieces: nothing of a text ever becomes HTML.

const NUMBERS = [
  /\+84(?:[ .-]?\d){8,10}/, // from abroad
  /0[35789](?:[ .-]?\d){8}/, // mobile
  /\(?02\d{1,2}\)?(?:[ .-]?\d){7,8}/, // landline
  /1[89]00(?:[ .-]?\d){4,6}/, // service numbers
  /11[1-5]|1022/, // short numbers: only after a word such as "gọi"
];
const PIECES = new RegExp(
  [
    /(?<address>\bhttps?:\/\/[^\s<>"“”]+|\b(?:[a-z0-9-]+\.)+(?:vn|com|org|net|info)\b(?:\/[^\s<>"“”]*)?)/,
    /(?<mail>[a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+)/,
    new RegExp(`(?<number>${NUMBERS.map((one) => one.source).join("|")})`),
  ].map((one) => one.source).join("|"),
  "giu",
);
const BEFORE_SHORT = /(?:gọi|số|cấp cứu|công an|cứu h[oỏ][ảa]|đường dây nóng|hotline|tổng đài|điện thoại)\s*:?\s*(?:ngay\s*)?(?:số\s*)?$/iu;

/** [{text, href?}], whose texts joined are the text itself. */
export function linkify(text) {
  const pieces = [];
  let done = 0;
  for (const match of text.matchAll(PIECES)) {
    const { address, mail, number } = match.groups;
    const start = match.index;
    const before = text.slice(0, start);
    const found = address ? withoutTail(address) : (mail ?? number);
    let href;
    if (number) href = telephone(number, before, text.slice(start + number.length));
    else if (/[@\p{L}\d]$/u.test(before)) href = null;
    else if (mail) href = `mailto:${mail}`;
    else href = /^https?:/i.test(found) ? found : `https://${found}`;
    if (!href) continue;
    if (start > done) pieces.push({ text: text.slice(done, start) });
    pieces.push({ text: found, href });
    done = start + found.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done) });
  return pieces;
}

/** "tel:…", or null where the digits are part of something else: a document's number, an amount, an ID card. */
function telephone(number, before, after) {
  if (/[\p{L}\d/.,+-]$/u.test(before) || /^(?:[/\p{L}\d]|[.,-]\d)/u.test(after)) return null;
  if (number.length <= 4 && !BEFORE_SHORT.test(before)) return null;
  return `tel:${number.replace(/[^\d+]/g, "")}`;
}

/** "https://a.vn/b)." without the end of the sentence. */
function withoutTail(address) {
  let end = address.replace(/[.,;:!?…”"']+$/u, "");
  while (end.endsWith(")") && !end.includes("(")) end = end.slice(0, -1).replace(/[.,;:!?]+$/u, "");
  return end;
}
