// The page to try packages by hand. Whatever a package answers is shown as text, never as markup.

import { fieldsOf } from "/page/inputs.js";

const at = (id) => document.getElementById(id);
const state = { token: "", packages: [], fields: [], asking: null };

function say(text) {
  at("status").textContent = text;
}

function headers() {
  return state.token ? { authorization: `Bearer ${state.token}` } : {};
}

async function refusal(response) {
  try {
    const { error } = await response.json();
    return [error.message, error.hint].filter(Boolean).join(" ");
  } catch {
    return `The server answered with the status ${response.status}.`;
  }
}

async function readPackages() {
  const response = await fetch("/v1/models", { headers: headers() });
  at("token-line").hidden = response.status !== 401 && !state.token;
  if (!response.ok) return say(await refusal(response));
  say("");
  state.packages = (await response.json()).data;
  at("package").replaceChildren(...state.packages.map((one) => new Option(one.id, one.id)));
  show();
}

function chosen() {
  return state.packages.find((one) => one.id === at("package").value);
}

function show() {
  const one = chosen();
  state.fields.forEach((field) => field.close());
  state.fields = fieldsOf(one.inputs, (error) => say(error.message));
  at("inputs").replaceChildren(...state.fields.map((field) => field.box));
  at("about").textContent = `${one.task}, gives ${one.output}`;
  at("options").disabled = !one.options.length;
  at("known-options").textContent = one.options.length ? `Known: ${one.options.join(", ")}` : "";
  clear();
}

function clear() {
  at("answer").textContent = "";
  at("pictures").replaceChildren();
}

/** Pictures inside an answer are shown above it, and left out of its text. */
function withoutPictures(value) {
  if (Array.isArray(value)) return value.map(withoutPictures);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.png === "string") {
    const picture = Object.assign(document.createElement("img"), { alt: "a picture of the answer" });
    picture.src = `data:image/png;base64,${value.png}`;
    at("pictures").append(picture);
    return `a picture of ${value.width} x ${value.height}`;
  }
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutPictures(part)]));
}

function showAnswer(body) {
  at("pictures").replaceChildren();
  at("answer").textContent = JSON.stringify(withoutPictures(body), null, 2);
  say(`${(1000 * body.seconds).toFixed(1)} ms in the package`);
}

/** Server-sent events of an answer to a POST, for which browsers have no reader of their own. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop();
    for (const part of parts) yield JSON.parse(part.slice("data: ".length));
  }
}

async function showPieces(response) {
  for await (const event of events(response)) {
    if (event.error) return say(event.error.message);
    if ("piece" in event) at("answer").textContent += event.piece;
    else showAnswer(event);
  }
}

async function ask() {
  const one = chosen();
  const form = new FormData();
  state.fields.forEach((field) => field.add(form));
  if (at("options").value.trim()) form.append("options", at("options").value);
  if (one.streams) form.append("stream", "true");
  clear();
  say("asking ...");
  state.asking = new AbortController();
  at("stop").disabled = false;
  const response = await fetch(`/predict/${encodeURIComponent(one.id)}`, {
    method: "POST", body: form, headers: headers(), signal: state.asking.signal,
  });
  if (response.status === 401) at("token-line").hidden = false;
  if (!response.ok) return say(await refusal(response));
  if (one.streams) await showPieces(response);
  else showAnswer(await response.json());
}

at("form").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  at("ask").disabled = true;
  ask()
    .catch((error) => say(error.name === "AbortError" ? "stopped" : error.message))
    .finally(() => {
      at("ask").disabled = false;
      at("stop").disabled = true;
    });
});
at("stop").addEventListener("click", () => state.asking?.abort());
at("package").addEventListener("change", show);
at("use-token").addEventListener("click", () => {
  state.token = at("token").value.trim();
  readPackages().catch((error) => say(error.message));
});
readPackages().catch((error) => say(error.message));
