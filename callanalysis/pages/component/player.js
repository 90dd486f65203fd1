// One call: transport, waveform, transcript, kept in step with the sound; keys, links to lines, renewed addresses.

const COLOURS = {
  collector: { light: "#A9C1DF", full: "#2F5F9E" },
  debtor: { light: "#D9C8AC", full: "#8A6A3C" },
  unknown: { light: "#C3C9D1", full: "#5C6B7C" },
};
const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
const STEP = 5; // seconds an arrow key moves
const SPEED_KEY = "callanalysis.speed";

class Player {
  constructor(root, data, send, startAt = null) {
    Object.assign(this, { root, data, send, startAt, renewed: 0, isWaiting: false, address: data.sound?.url ?? null, offs: [] });
    this.audio = element("audio", { preload: "metadata" });
    this.transcript = new Transcript(data, (line) => this.playLine(line));
    this.controls = data.sound ? this.buildControls() : null;
    this.wave = element("div", { class: "ca-wave", style: `min-height: ${data.lanes.length * LANE_HEIGHT + 18}px` });
    this.build();
    this.listen();
    if (data.sound) this.open();
    if (startAt === null) this.goToHash();
  }

  build() {
    const { data } = this;
    const lanes = data.lanes.map((lane) => element("span", { class: `ca-lane ca-${lane.role}` }, lane.name));
    const stage = element("div", { class: "ca-stage" }, element("div", { class: "ca-lane-names" }, ...lanes), this.wave);
    this.notice = element("div", { class: "ca-notice", role: "status", hidden: data.notice ? null : "" }, data.notice ?? "");
    this.stage = data.sound ? stage : null;
    const keys = data.sound ? element("div", { class: "ca-keys" }, data.text.keys) : null;
    this.node = element("section", { class: "ca-player", "data-call": data.call }, this.audio);
    this.node.append(...[this.controls, this.stage, this.notice, this.transcript.node, keys].filter(Boolean));
    this.root.replaceChildren(this.node);
  }

  buildControls() {
    const { text } = this.data;
    const button = (name, title, act) => {
      const node = element("button", { class: `ca-button ca-${name}`, type: "button", title, "aria-label": title }, icon(name));
      node.addEventListener("click", act);
      return node;
    };
    this.playButton = button("play", text.play, () => this.toggle());
    this.time = element("span", { class: "ca-clock" }, "0:00");
    this.total = element("span", { class: "ca-total" }, ` / ${clock(this.data.sound.duration)}`);
    this.follow = element("input", { type: "checkbox", checked: "" });
    const risk = element("button", { class: "ca-button ca-next-risk", type: "button", title: text.next_risk_key }, icon("warning"), text.next_risk);
    risk.addEventListener("click", () => this.nextRisk());
    const anyRisk = this.data.lines.some((line) => line.risky);
    return element(
      "div",
      { class: "ca-controls" },
      button("back", text.back, () => this.seek(this.audio.currentTime - STEP)),
      this.playButton,
      button("forward", text.forward, () => this.seek(this.audio.currentTime + STEP)),
      element("span", { class: "ca-position" }, this.time, this.total),
      this.buildSpeeds(),
      anyRisk ? risk : null,
      element("label", { class: "ca-follow", title: text.follow_help }, this.follow, text.follow),
    );
  }

  buildSpeeds() {
    const group = element("span", { class: "ca-speeds", role: "group", "aria-label": this.data.text.speed });
    const choose = (speed) => {
      this.audio.defaultPlaybackRate = this.audio.playbackRate = speed;
      localStorage.setItem(SPEED_KEY, speed);
      for (const node of group.children) node.setAttribute("aria-pressed", Number(node.value) === speed);
    };
    for (const speed of SPEEDS) {
      const node = element("button", { type: "button", value: speed, class: "ca-speed" }, `${speed}×`);
      node.addEventListener("click", () => choose(speed));
      group.append(node);
    }
    const kept = Number(localStorage.getItem(SPEED_KEY));
    choose(SPEEDS.includes(kept) ? kept : 1);
    return group;
  }

  on(target, name, act, options) {
    target.addEventListener(name, act, options);
    this.offs.push(() => target.removeEventListener(name, act, options));
  }

  listen() {
    this.on(document, "keydown", (event) => this.key(event));
    this.on(document, "click", (event) => this.link(event));
    this.on(window, "hashchange", () => this.goToHash());
    this.on(this.audio, "play", () => this.showState());
    this.on(this.audio, "pause", () => this.showState());
    this.on(this.audio, "timeupdate", () => this.step());
    this.on(this.audio, "seeking", () => this.step());
    this.on(this.audio, "error", () => this.audio.error && this.lost());
  }

  async open() {
    const { data } = this;
    try {
      const answer = await fetch(data.sound.peaks);
      const found = await answer.json();
      if (!answer.ok) return this.refused(found.code);
      this.audio.src = this.address;
      if (this.startAt) this.audio.addEventListener("loadedmetadata", () => this.seek(this.startAt), { once: true });
      this.surfer = drawWaveform(this.wave, this.audio, data, found);
      this.wave.append(timeAxis(found.duration));
      this.total.textContent = ` / ${clock(found.duration)}`;
    } catch {
      this.refused("unreachable");
    }
    return undefined;
  }

  // The server's refusal, told calmly; an address that ran out is asked for anew.
  refused(code) {
    if (code === "expired" && Date.now() - this.renewed > 10000) {
      this.renewed = Date.now();
      this.isWaiting = true;
      this.send("renew", this.renewed);
      return;
    }
    this.notice.textContent = this.data.text.refusals[code] ?? this.data.text.refusals.unreadable;
    this.notice.hidden = false;
    if (!this.surfer) this.stage?.remove();
    if (!this.surfer) this.controls?.classList.add("ca-off");
  }

  lost() {
    this.resumeAt = this.audio.currentTime;
    this.refused("expired");
  }

  // New data of the same call: the address is a new one, if one was asked for.
  update(data) {
    if (!data.sound || !this.isWaiting) return;
    Object.assign(this, { data, address: data.sound.url, isWaiting: false });
    if (!this.surfer) return void this.open();
    this.audio.src = this.address;
    this.audio.currentTime = this.resumeAt ?? 0;
  }

  toggle() {
    if (!this.surfer) return;
    if (this.audio.paused) this.audio.play().catch(() => this.lost());
    else this.audio.pause();
  }

  seek(time) {
    if (this.surfer) this.audio.currentTime = Math.min(Math.max(0, time), this.surfer.getDuration());
  }

  playLine(line) {
    const position = this.transcript.position(line.index);
    history.replaceState(history.state, "", `#line-${line.index}`);
    this.transcript.mark(position, { scroll: false });
    if (line.start === null || !this.surfer) return;
    this.seek(line.start);
    if (this.audio.paused) this.toggle();
  }

  step() {
    const time = this.audio.currentTime;
    if (this.time) this.time.textContent = clock(time);
    const position = this.transcript.at(time);
    if (position !== null) this.transcript.mark(position, { scroll: this.follow?.checked });
  }

  showState() {
    const { text } = this.data;
    const title = this.audio.paused ? text.play : text.pause;
    this.playButton?.replaceChildren(icon(this.audio.paused ? "play" : "pause"));
    this.playButton?.setAttribute("title", title);
    this.playButton?.setAttribute("aria-label", title);
  }

  nextRisk() {
    this.choose(this.transcript.nextRisk(this.transcript.current));
  }

  choose(position) {
    const line = this.data.lines[position];
    if (!line) return;
    this.playLine(line);
    this.transcript.show(this.transcript.rows[position]);
  }

  key(event) {
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=listbox]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const pressed = event.target.closest?.("button, a") && (event.key === " " || event.key === "Enter");
    const current = this.transcript.current ?? -1;
    const acts = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.seek(this.audio.currentTime - STEP),
      ArrowRight: () => this.seek(this.audio.currentTime + STEP),
      ArrowUp: () => this.choose(Math.max(0, current - 1)),
      ArrowDown: () => this.choose(Math.min(this.data.lines.length - 1, current + 1)),
      r: () => this.nextRisk(),
    };
    const act = acts[event.key];
    if (!act || (pressed && !event.target.closest(".ca-player"))) return;
    event.preventDefault();
    act();
  }

  link(event) {
    const target = event.target.closest?.("a[href^='#line-']");
    if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.choose(this.transcript.position(Number(target.hash.slice(6))));
  }

  // An address with #line-12 opens at line 12, without playing.
  goToHash() {
    const wanted = /^#line-(\d+)$/.exec(location.hash);
    const position = wanted ? this.transcript.position(Number(wanted[1])) : -1;
    if (position < 0) return;
    this.transcript.mark(position, { scroll: false });
    this.transcript.show(this.transcript.rows[position]);
    const start = this.data.lines[position].start;
    if (start !== null) this.audio.addEventListener("loadedmetadata", () => this.seek(start), { once: true });
  }

  close() {
    this.offs.forEach((off) => off());
    this.audio.pause();
    this.surfer?.destroy();
    this.audio.removeAttribute("src");
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const kept = parentElement.callanalysisPlayer;
  if (kept && kept.data.call === data.call && kept.data.language === data.language && kept.data.mark === data.mark) {
    kept.update(data);
    return () => undefined;
  }
  const startAt = kept?.data.call === data.call ? kept.audio.currentTime : null; // in another language
  kept?.close();
  const player = new Player(parentElement, data, setTriggerValue, startAt);
  parentElement.callanalysisPlayer = player;
  return () => {
    player.close();
    parentElement.callanalysisPlayer = undefined;
  };
}
