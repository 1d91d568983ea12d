// Rationales that a model sampled for a question, and how their answers vote. The pure functions compute what
// lmcourse.widgets.rationale_viewer and lmcourse.prompting.self_consistency compute.

// ---- votes ----

// Each answer that is not empty with its number of votes, the most frequent first, of equal ones the first seen.
export function votes(answers) {
  const counts = new Map();
  for (const answer of answers) if (answer) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

export const majority = (answers) => votes(answers)[0]?.[0] ?? "";

const answersOf = (question, count) => question.samples.slice(0, count).map(({ answer }) => answer);

export const rightByVotes = (questions, count) =>
  questions.filter((question) => majority(answersOf(question, count)) === question.truth).length;

// ---- what the figure says ----

const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

export function describeVotes(question, count) {
  const found = votes(answersOf(question, count));
  if (!found.length) return `${plural(count, "sample")}: no answer`;
  const [first, most] = found[0];
  const verdict = first === question.truth ? "right" : `wrong, it is ${question.truth}`;
  const tied = found.length > 1 && found[1][1] === most ? ", tied, and the first to come up" : "";
  return `${plural(count, "sample")}: ${first} has ${plural(most, "vote")}${tied}; ${verdict}`;
}

export function describeRationale({ steps, wrong }) {
  if (wrong === null) return "every step is right";
  return wrong < steps.length ? `step ${wrong + 1} is wrong` : "the steps do not lead to the answer";
}

// ---- the figure ----

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// Every answer that comes up in any sample, in the order of their texts, so that bars stay where they are.
const everyAnswer = ({ truth, samples }) =>
  [...new Set([truth, ...samples.map(({ answer }) => answer)])].filter(Boolean).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

function bars(question) {
  const rows = everyAnswer(question).map((answer) => {
    const [fill, count] = [element("span", { class: "lm-votes-fill" }), element("span", { class: "lm-votes-count" })];
    const mark = answer === question.truth ? " ✓" : "";
    const name = element("span", { class: "lm-votes-name" }, answer + mark);
    return { answer, fill, count, row: element("div", { class: "lm-votes-row" }, name, element("span", { class: "lm-votes-bar" }, fill), count) };
  });
  const show = (count) => {
    const answers = answersOf(question, count);
    const found = new Map(votes(answers));
    const first = majority(answers);
    for (const { answer, fill, count: shown, row } of rows) {
      const got = found.get(answer) ?? 0;
      fill.style.width = `${(100 * got) / question.samples.length}%`;
      shown.textContent = String(got);
      row.classList.toggle("lm-votes-first", answer === first);
    }
  };
  return { node: element("div", { class: "lm-votes" }, ...rows.map(({ row }) => row)), show };
}

// So many rationales are listed at once, the newest last.
const LISTED = 6;

function listed(sample, number) {
  const { steps, answer, wrong } = sample;
  const parts = steps.map((step, i) => {
    const kind = i === wrong ? "lm-step lm-step-wrong" : wrong !== null && i > wrong ? "lm-step lm-step-after" : "lm-step";
    return element("span", { class: kind }, i === wrong ? `✗ ${step}` : step);
  });
  const end = element("strong", { class: "lm-step-answer" }, answer ? `→ ${answer}` : "→ no answer");
  return element("li", { value: number, "aria-label": `Sample ${number}: ${steps.join("; ")}; answer ${answer || "none"}; ${describeRationale(sample)}` },
    ...parts, end);
}

function render({ model, el }) {
  const questions = model.get("questions");
  const most = questions[0].samples.length;
  const choice = element("select", { "aria-label": "Question" },
    ...questions.map(({ question }, i) => element("option", { value: i }, question)));
  const slider = element("input", { type: "range", min: 1, max: most, step: 1, "aria-label": "Samples" });
  slider.value = model.get("shown");
  const shown = element("strong");
  const [others, said, overall] = ["lm-note", "lm-votes-said", "lm-note"].map((kind) => element("p", { class: kind }));
  const [place, list] = [element("div"), element("ol", { class: "lm-rationales" })];
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  let question, chart, items, timer;

  const show = () => {
    const count = slider.valueAsNumber;
    shown.textContent = `n = ${count}`;
    slider.setAttribute("aria-valuetext", plural(count, "sample"));
    chart.show(count);
    items.forEach((item, i) => {
      item.hidden = i >= count || i < count - LISTED;
      item.classList.toggle("lm-rationale-new", i === count - 1);
    });
    said.textContent = `${describeVotes(question, count)}.`;
    overall.textContent = `With ${plural(count, "sample")} the vote is right for ${rightByVotes(questions, count)} of the `
      + `${plural(questions.length, "question")} in this figure.`;
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = `${said.textContent} ${items[count - 1].getAttribute("aria-label")}`; }, 500);
  };
  const open = () => {
    question = questions[choice.selectedIndex];
    chart = bars(question);
    items = question.samples.map((sample, i) => listed(sample, i + 1));
    place.replaceChildren(chart.node);
    list.replaceChildren(...items);
    others.textContent = `Right answer: ${question.truth}. With its most probable rationale the model says `
      + `${question.greedy || "nothing"}.`;
    show();
  };
  slider.addEventListener("input", show);
  choice.addEventListener("change", open);

  el.replaceChildren(
    element("div", { class: "lm-rationale-controls" },
      element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Question"), choice),
      element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Samples ", shown), slider)),
    others,
    element("div", { class: "lm-rationale-sides" },
      element("section", { "aria-label": "Votes" }, element("p", { class: "lm-title" }, "Votes"), place, said),
      element("section", { "aria-label": "Rationales" }, element("p", { class: "lm-title" }, `The last ${Math.min(most, LISTED)} rationales`), list)),
    overall,
    status,
  );
  open();
  clearTimeout(timer);
}

export default { render };
