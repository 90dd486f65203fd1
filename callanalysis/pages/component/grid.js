// A table whose rows open something: sorted by the server, a click or Enter on a row tells which.

function gridClass(column) {
  return `ca-${column.align ?? "left"}${column.wide ? " ca-wide" : ""}${column.wrap ? " ca-wrap" : ""}`;
}

function gridCell(column, cell, row) {
  const node = element("td", { class: gridClass(column), title: cell.title });
  if (column.link) node.append(element("a", { href: row.href, class: "ca-open" }, cell.text));
  else if (cell.text !== undefined) node.append(element("span", { class: `ca-value${cell.kind ? ` ca-${cell.kind}` : ""}` }, cell.text));
  if (cell.parts) node.append(gridBar(cell.parts));
  if (cell.sub) node.append(element("span", { class: "ca-sub", style: cell.room ? `min-width: ${cell.room}em` : null }, cell.sub));
  if (cell.chips) node.append(element("span", { class: "ca-chips" }, ...cell.chips.map(chip)));
  return node;
}

// A bar of parts that fill it together; each part is {share, kind, title}.
function gridBar(parts) {
  const bars = parts.map((part) => element("i", { class: `ca-part-${part.kind}`, style: `width: ${100 * part.share}%`, title: part.title }));
  return element("span", { class: "ca-bar" }, ...bars);
}

function gridHead(column, sort, send) {
  const sorted = sort.key === column.sort;
  const order = sorted ? (sort.descending ? "descending" : "ascending") : null;
  const node = element("th", { scope: "col", class: gridClass(column), title: column.help, "aria-sort": order });
  if (!column.sort) {
    node.append(column.label);
    return node;
  }
  const arrow = element("span", { class: "ca-arrow", "aria-hidden": "true" }, sorted ? (sort.descending ? "↓" : "↑") : "");
  const button = element("button", { type: "button" }, column.label, arrow);
  button.addEventListener("click", () => send("sort", `${column.sort}:${sorted ? !sort.descending : Boolean(column.down)}`));
  node.append(button);
  return node;
}

function gridRow(row, data, send) {
  if (row.group) {
    return element("tr", { class: "ca-group" }, element("td", { colspan: data.columns.length }, row.group));
  }
  const cells = data.columns.map((column, position) => gridCell(column, row.cells[position], row));
  const node = element("tr", { class: row.muted ? "ca-muted" : null, "data-row": row.id ?? null }, ...cells);
  if (!row.id) return node;
  node.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || window.getSelection()?.toString()) return;
    event.preventDefault();
    send("open", row.id);
  });
  return node;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const head = element("tr", {}, ...data.columns.map((column) => gridHead(column, data.sort, setTriggerValue)));
  const body = data.rows.map((row) => gridRow(row, data, setTriggerValue));
  const table = element("table", { class: "ca-grid", "aria-label": data.label }, element("thead", {}, head), element("tbody", {}, ...body));
  parentElement.replaceChildren(element("div", { class: "ca-grid-box" }, table));
  return () => undefined;
}
