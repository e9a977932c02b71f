// Fields for the inputs of a package: a text, a file, what the microphone hears, a picture of the camera.

const FILES = { audio: "audio/*", image: "image/*", video: "video/*", arrays: ".npz" };

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Places in a picture may be left out.
const PLACES = { box: "[x, y, width, height]", points: "[[x, y], ...]" };

/** A field of one input: its element, and what adds its value to a form. */
function textField(name, kind) {
  const hints = {
    texts: "one a line", row: '{"column": 1.5}', series: "[1.5, 2, 2.5]", latent: "a seed, such as 7", number: "0.5",
    words: '["Total", "12.50"]', boxes: "[[left, top, right, bottom], ...]", ...PLACES,
  };
  const area = element("textarea", { id: `input-${name}`, placeholder: hints[kind] ?? "", spellcheck: false });
  const box = element("div", { className: "field" }, element("label", { htmlFor: area.id, textContent: name }), area);
  const add = (form) => {
    if (kind in PLACES && !area.value.trim()) return;
    const values = kind === "texts" ? area.value.split("\n").filter((line) => line.trim()) : [area.value];
    values.forEach((value) => form.append(name, value));
  };
  return { box, add, close() {} };
}

function fileField(name, kind) {
  const picker = element("input", { id: `input-${name}`, type: "file", accept: FILES[kind] });
  const box = element("div", { className: "field" }, element("label", { htmlFor: picker.id, textContent: name }), picker);
  const field = { box, taken: null, shown: [], close() {} };
  field.add = (form) => {
    const file = field.taken ?? picker.files[0];
    if (!file) throw new Error(`Choose a file for '${name}' first.`);
    form.append(name, file, kind);
  };
  field.take = (blob, view) => {
    field.taken = blob;
    field.shown.forEach((one) => one.remove());
    field.shown = [view];
    box.append(view);
  };
  picker.addEventListener("change", () => {
    field.taken = null;
    field.shown.forEach((one) => one.remove());
  });
  if (kind === "audio") addMicrophone(field, name);
  if (kind === "image") addCamera(field, name);
  return field;
}

/** 16 bits a sample, one channel: what every reader of audio knows. Browsers record in forms that few do. */
export function wavOf(chunks, rate) {
  const count = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * count));
  const word = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  word(0, "RIFF"); view.setUint32(4, 36 + 2 * count, true); word(8, "WAVEfmt ");
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true);
  view.setUint16(34, 16, true); word(36, "data"); view.setUint32(40, 2 * count, true);
  let at = 44;
  for (const chunk of chunks) {
    for (const value of chunk) {
      view.setInt16(at, Math.max(-1, Math.min(1, value)) * 32767, true);
      at += 2;
    }
  }
  return new Blob([view], { type: "audio/wav" });
}

function addMicrophone(field, name) {
  const button = element("button", { type: "button", id: `record-${name}`, textContent: "Record" });
  let running = null;
  const end = async () => {
    const { context, stream, chunks } = running;
    running = null;
    stream.getTracks().forEach((track) => track.stop());
    await context.close();
    button.textContent = "Record";
    const blob = wavOf(chunks, context.sampleRate);
    field.take(blob, element("audio", { controls: true, src: URL.createObjectURL(blob) }));
  };
  const begin = async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const context = new AudioContext();
    await context.audioWorklet.addModule("/page/recorder.js");
    const recorder = new AudioWorkletNode(context, "recorder");
    const chunks = [];
    recorder.port.onmessage = (message) => chunks.push(message.data);
    context.createMediaStreamSource(stream).connect(recorder).connect(context.destination);
    running = { context, stream, chunks };
    button.textContent = "End the recording";
  };
  button.addEventListener("click", () => (running ? end() : begin()).catch((error) => field.failed(error)));
  field.box.append(button);
  field.close = () => running && end();
}

function addCamera(field, name) {
  const button = element("button", { type: "button", id: `camera-${name}`, textContent: "Open the camera" });
  const video = element("video", { muted: true, playsInline: true, hidden: true });
  let stream = null;
  const end = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    button.textContent = "Open the camera";
  };
  const shoot = async () => {
    const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    end();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    field.take(blob, element("img", { alt: "the picture taken", src: URL.createObjectURL(blob) }));
  };
  const open = async () => {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    button.textContent = "Take the picture";
  };
  button.addEventListener("click", () => (stream ? shoot() : open()).catch((error) => field.failed(error)));
  field.box.append(button, video);
  field.close = end;
}

/** The fields for inputs by name and kind; `failed` is told what goes wrong at the microphone or the camera. */
export function fieldsOf(inputs, failed) {
  return Object.entries(inputs).map(([name, kind]) => {
    const field = kind in FILES ? fileField(name, kind) : textField(name, kind);
    field.failed = failed;
    return field;
  });
}
