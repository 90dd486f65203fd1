// The two sides as waveforms, speech and risks marked on them; a click plays from there.

const LANE_HEIGHT = 38; // pixels

// Draws and returns the wavesurfer instance; `shape` is {duration, peaks} of the server.
function drawWaveform(container, audio, data, shape) {
  const regions = RegionsPlugin.create();
  const lanes = shape.peaks.slice(0, 2);
  const surfer = WaveSurfer.create({
    container,
    media: audio,
    peaks: lanes,
    duration: shape.duration,
    height: LANE_HEIGHT,
    cursorColor: "#1D2733",
    cursorWidth: 1,
    dragToSeek: true,
    normalize: false,
    splitChannels: lanes.map((_, channel) => laneColours(data, channel)),
    plugins: [regions],
  });
  surfer.on("ready", () => markRegions(regions, data, lanes.length));
  return surfer;
}

function laneColours(data, channel) {
  const role = data.lanes[channel]?.role ?? "unknown";
  return { waveColor: COLOURS[role].light, progressColor: COLOURS[role].full, height: LANE_HEIGHT };
}

function markRegions(regions, data, lanes) {
  if (regions.getRegions().length) return;
  const fixed = { drag: false, resize: false };
  for (const { channel, start, end } of data.speech) {
    if (channel < lanes) regions.addRegion({ ...fixed, start, end, channelIdx: channel, color: "rgba(29, 39, 51, 0.05)" });
  }
  for (const { channel, start, end, title } of data.risks) {
    const lane = lanes > 1 ? { channelIdx: channel } : {};
    const region = regions.addRegion({ ...fixed, ...lane, start, end, color: "rgba(179, 38, 30, 0.16)" });
    region.element?.classList.add("ca-risk-region");
    region.element?.setAttribute("title", title);
  }
}

// A row of times under the waveform, at a step that fits the width.
function timeAxis(duration) {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 1800].find((seconds) => duration / seconds <= 12) ?? 3600;
  const axis = element("div", { class: "ca-axis", "aria-hidden": "true" });
  for (let second = 0; second <= duration - step / 3; second += step) {
    axis.append(element("span", { style: `left: ${(100 * second) / duration}%` }, clock(second)));
  }
  return axis;
}
