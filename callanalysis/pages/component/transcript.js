// The transcript: one row per utterance, the current one marked, a click plays from there.

class Transcript {
  constructor(data, onChoose) {
    this.lines = data.lines;
    this.current = null;
    this.heldUntil = 0;
    this.rows = data.lines.map((line) => transcriptRow(line, data, () => onChoose(line)));
    this.node = element("div", { class: "ca-lines", role: "list", "aria-label": data.text.transcript }, ...this.rows);
    for (const gesture of ["wheel", "touchmove"]) {
      this.node.addEventListener(gesture, () => (this.heldUntil = Date.now() + 4000), { passive: true });
    }
  }

  // The line that is spoken at a time, or the last one before it.
  at(time) {
    let found = null;
    this.lines.forEach((line, position) => {
      if (line.start !== null && line.start <= time + 0.05) found = position;
    });
    return found;
  }

  position(index) {
    return this.lines.findIndex((line) => line.index === index);
  }

  mark(position, { scroll }) {
    if (position === this.current) return;
    this.rows[this.current]?.classList.remove("ca-current");
    this.rows[this.current]?.removeAttribute("aria-current");
    this.current = position;
    const row = this.rows[position];
    row?.classList.add("ca-current");
    row?.setAttribute("aria-current", "true");
    if (row && scroll && Date.now() > this.heldUntil) this.show(row);
  }

  show(row) {
    const [box, place] = [this.node.getBoundingClientRect(), row.getBoundingClientRect()];
    const offset = place.top - box.top - (box.height - place.height) / 3;
    this.node.scrollBy({ top: offset, behavior: Math.abs(offset) > 2000 ? "auto" : "smooth" });
  }

  // The position of the next line with a risk after `from`, beginning again at the top.
  nextRisk(from) {
    const risky = this.lines.flatMap((line, position) => (line.risky ? [position] : []));
    return risky.find((position) => position > (from ?? -1)) ?? risky[0];
  }
}

function transcriptRow(line, data, choose) {
  const label = `${line.clock} ${line.name}: ${line.text}`;
  const time = element("button", { class: "ca-time", type: "button", "aria-label": label }, line.clock);
  const name = element("span", { class: "ca-name" }, line.name);
  if (line.confidence) name.append(element("span", { class: "ca-guess", title: line.confidence.title }, line.confidence.text));
  const words = element("span", { class: "ca-text", lang: data.language }, ...marked(line.text, data.mark));
  const chips = element("span", { class: "ca-chips" }, ...line.chips.map(chip));
  const classes = `ca-line ca-${line.role}${line.risky ? " ca-risky" : ""}${line.evidence ? " ca-evidence" : ""}`;
  const row = element(
    "div",
    { class: classes, role: "listitem", id: `said-${line.index}`, "data-line": line.index },
    time,
    name,
    element("div", { class: "ca-said" }, words, chips),
  );
  row.addEventListener("click", () => window.getSelection()?.toString() || choose());
  return row;
}

// The text with every occurrence of what was searched for marked.
function marked(text, wanted) {
  if (!wanted) return [text];
  const [low, key] = [text.toLowerCase(), wanted.toLowerCase()];
  const parts = [];
  let from = 0;
  for (let at = low.indexOf(key); at >= 0; at = low.indexOf(key, from)) {
    parts.push(text.slice(from, at), element("mark", {}, text.slice(at, at + key.length)));
    from = at + key.length;
  }
  return [...parts, text.slice(from)];
}
