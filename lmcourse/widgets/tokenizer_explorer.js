// The tokenizers of the chapter in the browser, and the figure that plays with them. The pure functions compute what
// lmcourse.tokenization computes: the same ids, the same tokens, offsets counted in code points.

// ---- byte-level BPE ----

// GPT-2's pattern with \s written out: JavaScript's own counts U+FEFF as white space and not U+0085.
const PIECES = new RegExp(
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
    .replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"),
  "gu",
);

// GPT-2's alphabet: a byte that prints as itself keeps its character, the others move to U+0100 and up.
const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const prints = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
const MOVED = BYTES.filter((byte) => !prints(byte));
const ALPHABET = BYTES.map((byte) => String.fromCodePoint(prints(byte) ? byte : 256 + MOVED.indexOf(byte)));
const BYTE_OF = new Map(ALPHABET.map((character, byte) => [character, byte]));

const lines = (text) => (text ? text.split("\n") : []);
const idsOf = (vocab) => new Map(lines(vocab).map((token, id) => [token, id]));

// A literal special token in the text is one token; the longest wins where two begin at one place.
function specialPattern(special) {
  const escaped = [...special].sort((a, b) => b.length - a.length).map((s) => s.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return escaped.length ? new RegExp(`(${escaped.join("|")})`, "u") : /(?!)/u;
}

export function loadBpe({ vocab, merges, special }) {
  const pairs = lines(merges);
  const ranks = new Map(pairs.map((pair, rank) => [pair, rank]));
  const madeBy = new Map();
  pairs.forEach((pair, rank) => {
    const product = pair.replace(" ", "");
    if (!madeBy.has(product)) madeBy.set(product, rank);
  });
  return { ids: idsOf(vocab), pairs, ranks, madeBy, special: specialPattern(special) };
}

// Join the adjacent pair of lowest rank, leftmost first, until no pair has a rank below the limit.
export function mergeSymbols(symbols, ranks, limit) {
  const rankAt = (i) => {
    const rank = i + 1 < symbols.length ? ranks.get(`${symbols[i]} ${symbols[i + 1]}`) : undefined;
    return rank !== undefined && rank < limit ? rank : Infinity;
  };
  const found = symbols.map((_, i) => rankAt(i));
  for (;;) {
    let best = 0;
    for (let i = 1; i < found.length; i++) if (found[i] < found[best]) best = i;
    if (!(found[best] < Infinity)) return symbols;
    symbols.splice(best, 2, symbols[best] + symbols[best + 1]);
    found.splice(best + 1, 1);
    found[best] = rankAt(best);
    if (best) found[best - 1] = rankAt(best - 1);
  }
}

// Yield [part, where it starts in code points, whether it is a special token].
function* segments(text, special) {
  let start = 0;
  for (const [i, part] of text.split(special).entries()) {
    if (part) yield [part, start, i % 2 === 1];
    start += [...part].length;
  }
}

const specialToken = (model, token, start) =>
  ({ token, id: model.ids.get(token), start, end: start + [...token].length, special: true });

export function encodeBpe(model, text, limit = Infinity) {
  const utf8 = new TextEncoder();
  const tokens = [];
  for (const [part, partStart, isSpecial] of segments(text, model.special)) {
    let at = partStart;
    if (isSpecial) tokens.push(specialToken(model, part, at));
    for (const piece of isSpecial ? [] : part.match(PIECES)) {
      const owners = [];
      const symbols = [];
      for (const character of piece) {
        for (const byte of utf8.encode(character)) {
          symbols.push(ALPHABET[byte]);
          owners.push(at);
        }
        at += 1;
      }
      let byte = 0;
      for (const token of mergeSymbols(symbols, model.ranks, limit)) {
        const start = owners[byte];
        byte += token.length;
        tokens.push({ token, id: model.ids.get(token), start, end: owners[byte - 1] + 1, special: false });
      }
    }
  }
  return tokens;
}

// ---- WordPiece with BERT's normalisation ----

const CJK = new RegExp(
  "[\\u4e00-\\u9fff\\u3400-\\u4dbf\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2b73f}\\u{2b740}-\\u{2b81f}" +
  "\\u{2b920}-\\u{2ceaf}\\uf900-\\ufaff\\u{2f800}-\\u{2fa1f}]",
  "u",
);
const PUNCTUATION = /[!-\/:-@[-`{-~\p{P}]/u;

export function loadWordPiece({ vocab, special, unknown, prefix, longest }) {
  return { ids: idsOf(vocab), special: specialPattern(special), unknown, prefix, longest };
}

function clean(character) {
  if (/[\t\n\r]/u.test(character)) return " ";
  if (character === "\ufffd" || /\p{C}/u.test(character)) return "";
  return /\p{White_Space}/u.test(character) ? " " : character;
}

function rewriteBert(text) {
  const spaced = Array.from(text, (character) => {
    const cleaned = clean(character);
    return CJK.test(cleaned) ? ` ${cleaned} ` : cleaned;
  });
  const bare = Array.from(spaced.join("").normalize("NFD")).filter((character) => !/\p{Mn}/u.test(character));
  // Character by character: as a whole, a string ends in another sigma.
  return bare.map((character) => character.toLowerCase()).join("");
}

// A base character with its marks, or Hangul letters that may compose into one.
const LETTERS = "[\\u1100-\\u11ff\\ua960-\\ua97f\\ud7b0-\\ud7ff]";
const RUNS = new RegExp(`[\\uac00-\\ud7a3]${LETTERS}*\\p{M}*|${LETTERS}+\\p{M}*|\\P{M}\\p{M}*|\\p{M}+`, "gu");

// Return [character, start, end] for every character of the normalised text: the span of the run it came from.
export function normalizeBert(text, at = 0) {
  const out = [];
  let start = at;
  for (const run of text.match(RUNS) ?? []) {
    const end = start + [...run].length;
    for (const character of rewriteBert(run)) out.push([character, start, end]);
    start = end;
  }
  const whole = rewriteBert(text);
  if (out.map(([character]) => character).join("") === whole) return out;
  return Array.from(whole, (character) => [character, at, start]);
}

function* bertWords(characters) {
  let word = [];
  for (const entry of characters) {
    const sign = PUNCTUATION.test(entry[0]);
    if (!sign && entry[0] !== " ") {
      word.push(entry);
      continue;
    }
    if (word.length) yield word;
    word = [];
    if (sign) yield [entry];
  }
  if (word.length) yield word;
}

function wordPieces(model, word) {
  const token = (text, from, to) => ({
    token: text, id: model.ids.get(text), start: word[from][1], end: word[to - 1][2], special: text === model.unknown,
  });
  const unknown = [token(model.unknown, 0, word.length)];
  if (word.length > model.longest) return unknown;
  const pieces = [];
  for (let from = 0; from < word.length; ) {
    let to = word.length;
    const text = () => (from ? model.prefix : "") + word.slice(from, to).map(([character]) => character).join("");
    while (to > from && !model.ids.has(text())) to -= 1;
    if (to === from) return unknown;
    pieces.push(token(text(), from, to));
    from = to;
  }
  return pieces;
}

export function encodeWordPiece(model, text) {
  const tokens = [];
  for (const [part, start, isSpecial] of segments(text, model.special)) {
    if (isSpecial) tokens.push(specialToken(model, part, start));
    else for (const word of bertWords(normalizeBert(part, start))) tokens.push(...wordPieces(model, word));
  }
  return tokens;
}

// ---- what the figure says ----

// Write one character so that it can be seen: signs for white space, U+XXXX for what has no shape.
function visibleCharacter(character) {
  const sign = { " ": "␣", "\n": "⏎", "\t": "⇥" }[character];
  if (sign) return sign;
  if (!/[\p{C}\p{Z}]/u.test(character)) return character;
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

export const visibleText = (text) => (/^\p{M}/u.test(text) ? "◌" : "") + [...text].map(visibleCharacter).join("");

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
const bytesOf = (token) => Uint8Array.from([...token], (character) => BYTE_OF.get(character));

// The text of a byte-level token; null where it holds only a part of a character.
function decoded(token) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesOf(token));
  } catch {
    return null;
  }
}

// A byte-level token as text, or as hexadecimal bytes where it is no text.
export function visibleBytes(token) {
  const text = decoded(token);
  return text === null ? hex(bytesOf(token)) : visibleText(text);
}

export function countText(text) {
  return { characters: [...text].length, words: (text.match(/\P{White_Space}+/gu) ?? []).length };
}

// The stops of the slider: every count at the low end, then steps of about eight percent, up to all merges.
export function mergeStops(all) {
  const stops = Array.from({ length: 121 }, (_, i) => Math.round((all + 1) ** (i / 120)) - 1);
  return [...new Set([...stops, all])];
}

const number = (value) => value.toLocaleString("en-US");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

export function describeText(text) {
  const { characters, words } = countText(text);
  return `${plural(characters, "character")}, ${plural(words, "word")}`;
}

export function describeRates(tokens, text) {
  const { characters, words } = countText(text);
  const rates = [];
  if (tokens) rates.push(`${(characters / tokens).toFixed(2)} characters per token`);
  if (tokens && words) rates.push(`${(tokens / words).toFixed(2)} tokens per word`);
  return rates.join(", ");
}

// ---- the figure ----

const DRAWN = 2000;
const LONGEST_TEXT = 5000;

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// A row of chips with one tab stop: the arrow keys move between tokens, and what is chosen is explained below.
class Chips {
  constructor(name, hint, onChoose) {
    this.onChoose = onChoose;
    this.list = element("div", {
      class: "lm-chips", role: "listbox", "aria-orientation": "horizontal", "aria-label": `${name} tokens`,
      translate: "no",
    });
    this.count = element("strong", { class: "lm-count" });
    this.rates = element("p", { class: "lm-rates" });
    this.detail = element("p", { class: "lm-detail" });
    this.hint = hint;
    this.tokens = [];
    const place = (event) => [...this.list.children].indexOf(event.target.closest?.(".lm-chip"));
    this.list.addEventListener("mouseover", (event) => place(event) >= 0 && this.choose(place(event)));
    this.list.addEventListener("focusin", (event) => place(event) >= 0 && this.choose(place(event)));
    this.list.addEventListener("mouseleave", () => this.list.contains(document.activeElement) || this.choose(-1));
    this.list.addEventListener("focusout", () => this.choose(-1));
    this.list.addEventListener("keydown", (event) => this.move(event, place(event)));
  }

  draw(tokens, text, explain) {
    Object.assign(this, { tokens, explain });
    this.count.textContent = plural(tokens.length, "token");
    this.rates.textContent = describeRates(tokens.length, text);
    this.list.replaceChildren(...tokens.slice(0, DRAWN).map((token, i) => {
      const kind = token.special ? " lm-special" : token.partial ? " lm-bytes" : "";
      return element("span", {
        class: `lm-chip lm-chip-${i % 5}${kind}`, role: "option", "aria-selected": "false",
        tabindex: i ? "-1" : "0", "aria-label": explain(token),
      }, token.shown);
    }));
    const left = tokens.length - DRAWN;
    const more = element("span", { class: "lm-more", role: "presentation" }, `… ${number(left)} more`);
    if (left > 0) this.list.append(more);
    this.detail.textContent = this.hint;
  }

  summary() {
    return [this.count.textContent, this.rates.textContent].filter(Boolean).join(", ");
  }

  choose(place) {
    this.detail.textContent = place < 0 ? this.hint : this.explain(this.tokens[place]);
    this.onChoose(place < 0 ? null : this.tokens[place]);
    if (place < 0) return;
    [...this.list.children].forEach((chip, i) => {
      chip.setAttribute("aria-selected", String(i === place));
      chip.tabIndex = i === place ? 0 : -1;
    });
  }

  // Mark the tokens that share a character with one of the other row.
  mark(other) {
    this.tokens.slice(0, DRAWN).forEach((token, i) => {
      const shared = other && token.start < other.end && other.start < token.end;
      this.list.children[i].classList.toggle("lm-shared", Boolean(shared));
    });
  }

  move(event, place) {
    const last = Math.min(this.tokens.length, DRAWN) - 1;
    const [next, previous] = [place + 1, place - 1];
    const keys = { ArrowRight: next, ArrowDown: next, ArrowLeft: previous, ArrowUp: previous, Home: 0, End: last };
    const to = keys[event.key];
    if (to === undefined || place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    // The book turns its pages with the arrow keys.
    event.stopPropagation();
    this.list.children[Math.min(Math.max(to, 0), last)].focus();
  }
}

// A panel in five rows, which the style sheet lines up with its neighbour's.
function panel(title, chips, control) {
  const head = element("p", { class: "lm-head" }, element("span", { class: "lm-title" }, title), " ", chips.count);
  const rows = [head, control, chips.rates, chips.list, chips.detail];
  return element("section", { class: "lm-panel", "aria-label": title }, ...rows);
}

// How a byte-level token came to be: its bytes, and the merge that makes it.
function origin(model, token) {
  const bytes = `, bytes ${hex(bytesOf(token.token))}`;
  const rank = model.madeBy.get(token.token);
  if (rank === undefined) return bytes;
  const [left, right] = model.pairs[rank].split(" ").map(visibleBytes);
  return `${bytes}, merge ${number(rank + 1)}: “${left}” + “${right}”`;
}

function explain(token, more) {
  const what = token.special ? ", a special token" : more(token);
  return `“${token.shown}”: id ${token.id}, characters ${token.start} to ${token.end}${what}`;
}

// Add to each token what its chip shows, and whether that is bytes.
const withLooks = (tokens, visible, partial) => tokens.map((token) => {
  if (token.special) return { ...token, shown: token.token, partial: false };
  return { ...token, shown: visible(token.token), partial: partial(token.token) };
});

// Names under the slider, each where its count lies.
function scale(stops) {
  const all = stops.at(-1);
  const marks = [0, 10, 100, 1000, 10000].filter((count) => count * 3 < all);
  const places = [...marks, all].map((count) => {
    const place = stops.findIndex((stop) => stop >= count) / (stops.length - 1);
    return element("span", { style: `--lm-place: ${place}` }, count === all ? "all" : number(count));
  });
  return element("span", { class: "lm-scale", "aria-hidden": "true" }, ...places);
}

function render({ model, el }) {
  const bpe = loadBpe(model.get("bpe"));
  const wordpiece = loadWordPiece(model.get("wordpiece"));
  const stops = mergeStops(bpe.pairs.length);

  const input = element("textarea", {
    rows: "3", maxlength: String(LONGEST_TEXT), spellcheck: "false", autocomplete: "off", dir: "auto",
  });
  input.value = model.get("text");
  const size = element("p", { class: "lm-rates" });
  const slider = element("input", {
    type: "range", "aria-label": "Merges", min: "0", max: String(stops.length - 1), step: "1",
  });
  slider.value = slider.max;
  const merges = element("strong", { class: "lm-merges" });
  const newest = element("p", { class: "lm-note" });
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  const legend = element("div");
  legend.innerHTML = model.get("legend");

  const hint = "Point at a token (keys: Tab, arrows).";
  const left = new Chips("BPE", hint, (token) => right.mark(token));
  const right = new Chips("WordPiece", hint, (token) => left.mark(token));

  el.replaceChildren(
    element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Text"), input),
    size,
    element("div", { class: "lm-panels" },
      panel("Byte-level BPE", left, element("div", {},
        element("label", { class: "lm-field" }, element("span", {}, "Merges: ", merges), slider, scale(stops)),
        newest)),
      panel("WordPiece", right, element("p", { class: "lm-note" }, model.get("note")))),
    legend,
    status,
  );

  // Screen readers hear the counts once the typing rests, not at every key.
  let timer;
  const announce = (message) => {
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = message; }, 500);
  };

  const update = () => {
    const text = input.value;
    const limit = stops[slider.valueAsNumber];
    const last = limit ? bpe.pairs[limit - 1].split(" ").map(visibleBytes) : null;
    const byBpe = withLooks(encodeBpe(bpe, text, limit), visibleBytes, (token) => decoded(token) === null);
    const byWordPiece = withLooks(encodeWordPiece(wordpiece, text), visibleText, () => false);
    merges.textContent = `${number(limit)} of ${number(bpe.pairs.length)}`;
    slider.setAttribute("aria-valuetext", plural(limit, "merge"));
    newest.textContent = last
      ? `The last of them joins “${last[0]}” and “${last[1]}”.`
      : "No merge: every byte is a token.";
    size.textContent = describeText(text);
    left.draw(byBpe, text, (token) => explain(token, (t) => origin(bpe, t)));
    right.draw(byWordPiece, text, (token) => explain(token, () => ""));
    const spoken = [`BPE with ${plural(limit, "merge")}: ${left.summary()}`, `WordPiece: ${right.summary()}`];
    announce(`${[size.textContent, ...spoken].join(". ")}.`);
  };
  input.addEventListener("input", update);
  slider.addEventListener("input", update);
  update();
}

export default { render };
