// Building blocks of the components. Text goes in as text nodes: nothing that a caller said is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  back: "M12.5 3v10L6 8zM3.5 3H5v10H3.5z",
  forward: "M3.5 3v10L10 8zM11 3h1.5v10H11z",
  warning: "M8 1.8 15 14H1zM7.2 6.2v4h1.6v-4zm0 5v1.5h1.6v-1.5z",
};

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "ca-icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}

function chip({ text, score, kind, title }) {
  return element(
    "span",
    { class: `ca-chip ca-chip-${kind}`, title },
    kind === "risk" ? icon("warning") : null,
    text,
    score ? element("span", { class: "ca-score" }, score) : null,
  );
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
