// The page's side of a panel: shows each frame with its sentence, names the controls for screen readers,
// and tells the reader when the kernel is busy, was restarted, or could not draw.

const REST = 150; // ms without a frame before the lossless picture is asked for
const SPEAK = 600; // ms without a frame before the sentence is spoken
const BUSY = 3000; // ms without an answer before the reader is told

const RESTARTED = "The kernel was restarted. Run this cell again to move the sliders.";
const WAITING = "The kernel is busy. The picture follows when it is free.";

function element(tag, className, parent) {
  const made = document.createElement(tag);
  made.className = className;
  parent.append(made);
  return made;
}

function render({ model, el }) {
  el.classList.add("igviz-view");
  const card = element("div", "igviz-card", el);
  let picture = element("img", "igviz-picture", card);
  const handle = element("div", "igviz-handle", card);
  const foot = element("div", "igviz-foot", el);
  const words = element("p", "igviz-words", foot);
  const quote = element("span", "igviz-quote", words);
  const sentence = element("span", "igviz-sentence", words);
  const tools = element("div", "igviz-tools", foot);
  const copy = element("button", "igviz-tool igviz-copy", tools);
  const projector = element("button", "igviz-tool igviz-projector", tools);
  const line = element("code", "igviz-line", el);
  const notice = element("p", "igviz-notice", el);
  notice.setAttribute("role", "status");
  const live = element("div", "igviz-live", el);
  live.setAttribute("aria-live", "polite");
  copy.type = projector.type = "button";
  copy.textContent = "Copy";
  copy.title = "Copy the line that makes this panel as it stands";
  projector.textContent = "Projector";
  projector.title = "Draw this panel larger, for the back row";
  line.hidden = true;

  const stop = new AbortController();
  const on = (target, type, action, options = {}) =>
    target.addEventListener(type, action, { signal: stop.signal, ...options });
  const listening = [];
  const listen = (target, name, action) => {
    target.on(name, action);
    listening.push(() => target.off(name, action));
  };

  // -- frames ------------------------------------------------------------------------------------
  let asked = 0; // frames received
  let shown = 0; // the latest of them on screen
  let restTimer, speakTimer, busyTimer;
  let dead = false;
  let url;

  const say = () => {
    const problem = model.get("problem");
    const text = dead ? RESTARTED : problem;
    notice.textContent = text;
    notice.classList.toggle("igviz-problem", Boolean(text));
  };
  const answered = () => {
    clearTimeout(busyTimer);
    busyTimer = undefined;
    say();
  };
  const expectAnswer = () => {
    if (dead || busyTimer !== undefined) return;
    busyTimer = setTimeout(() => {
      if (!dead) notice.textContent = WAITING;
    }, BUSY);
  };

  const resize = () => {
    el.style.setProperty("--igviz-width", `${model.get("width")}px`);
    card.style.aspectRatio = `${model.get("width")} / ${model.get("height")}`;
    projector.setAttribute("aria-pressed", String(model.get("projector")));
  };

  const write = () => {
    const text = model.get("sentence");
    sentence.textContent = text;
    quote.textContent = model.get("quote");
    quote.hidden = !model.get("quote");
    picture.alt = text;
    line.textContent = model.get("line");
    const point = model.get("handle");
    handle.hidden = point.length !== 2;
    if (point.length === 2) {
      handle.style.left = `${100 * point[0]}%`;
      handle.style.top = `${100 * point[1]}%`;
    }
  };

  const frame = async () => {
    const number = ++asked;
    const bytes = model.get("frame");
    if (!bytes || !bytes.byteLength) return;
    const mime = model.get("mime");
    const next = new Image();
    const made = URL.createObjectURL(new Blob([bytes], { type: mime }));
    // Decoded when it is painted: waiting for decode() costs a whole animation frame and shows nothing sooner.
    next.decoding = "sync";
    next.className = "igviz-picture";
    next.draggable = false;
    try {
      await new Promise((loaded, failed) => {
        next.onload = loaded;
        next.onerror = failed;
        next.src = made;
      });
    } catch {
      URL.revokeObjectURL(made);
      return;
    }
    if (number < shown || stop.signal.aborted) {
      URL.revokeObjectURL(made); // a newer picture is already on screen
      return;
    }
    shown = number;
    next.dataset.serial = String(model.get("serial"));
    next.dataset.mime = mime;
    picture.replaceWith(next);
    picture = next;
    if (url) URL.revokeObjectURL(url);
    url = made;
    write();
    answered();
    clearTimeout(restTimer);
    if (mime === "image/jpeg") {
      const serial = model.get("serial");
      restTimer = setTimeout(() => model.send({ kind: "rest", serial }), REST);
    }
    clearTimeout(speakTimer);
    speakTimer = setTimeout(() => {
      const text = `${model.get("quote")} ${model.get("sentence")}`.trim();
      if (live.textContent !== text) live.textContent = text;
    }, SPEAK);
  };

  // One message, one call: a frame may repeat the bytes of the one before, or only be sharper than it.
  let seen = [];
  listen(model, "change", () => {
    const now = [model.get("serial"), model.get("frame")];
    if (now[0] === seen[0] && now[1] === seen[1]) return;
    seen = now;
    frame();
  });
  listen(model, "change:width change:height change:projector", resize);
  listen(model, "change:problem", answered);
  listen(model, "msg:custom", (message) => {
    if (message?.kind === "settled") answered();
  });

  // -- the page's density, the projector -----------------------------------------------------------
  const density = () => {
    const found = Math.min(2, Math.max(1, window.devicePixelRatio || 1));
    if (found !== model.get("density")) {
      model.set("density", found);
      model.save_changes();
    }
    matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener("change", density, {
      once: true,
      signal: stop.signal,
    });
  };
  on(projector, "click", () => {
    model.set("projector", !model.get("projector"));
    model.save_changes();
    resize();
    expectAnswer();
  });

  // -- copy ----------------------------------------------------------------------------------------
  on(copy, "click", async () => {
    line.hidden = false;
    line.textContent = model.get("line");
    const range = document.createRange();
    range.selectNodeContents(line);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    try {
      await navigator.clipboard.writeText(model.get("line"));
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Copy with Ctrl+C"; // the line stands selected beside the button
    }
    setTimeout(() => (copy.textContent = "Copy"), 2000);
  });

  // -- drag ----------------------------------------------------------------------------------------
  let count = 0;
  let dragging = false;
  const place = (event) => {
    const box = card.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width;
    const down = (event.clientY - box.top) / box.height;
    return [across, down];
  };
  const inside = ([across, down]) => {
    const area = model.get("area");
    return (
      area.length === 4 && across >= area[0] && down >= area[1] && across <= area[2] && down <= area[3]
    );
  };
  const move = (event) => {
    const [across, down] = place(event);
    model.set("pointer", [across, down, ++count]);
    model.save_changes();
    expectAnswer();
  };
  on(card, "pointerdown", (event) => {
    if (event.button !== 0 || !inside(place(event))) return;
    dragging = true;
    card.setPointerCapture(event.pointerId);
    card.classList.add("igviz-dragging");
    event.preventDefault();
    move(event);
  });
  on(card, "pointermove", (event) => {
    card.classList.toggle("igviz-draggable", inside(place(event)));
    if (dragging) move(event);
  });
  for (const type of ["pointerup", "pointercancel"]) {
    on(card, type, () => {
      dragging = false;
      card.classList.remove("igviz-dragging");
    });
  }
  if (model.get("area").length) card.classList.add("igviz-touch");

  // -- the controls beside the picture ---------------------------------------------------------------
  const name = (panel) => {
    for (const row of panel.querySelectorAll(".widget-slider")) {
      const grip = row.querySelector(".noUi-handle");
      const label = row.querySelector(".widget-label")?.textContent?.trim();
      const value = row.querySelector(".widget-readout")?.textContent?.trim();
      if (!grip || !label) continue;
      const readout = row.querySelector(".widget-readout");
      if (readout && !readout.hasAttribute("aria-label")) {
        readout.setAttribute("aria-label", `${label}, value`);
      }
      if (grip.getAttribute("aria-label") !== label) grip.setAttribute("aria-label", label);
      if (value && grip.getAttribute("aria-valuetext") !== value) {
        grip.setAttribute("aria-valuetext", value);
      }
    }
    for (const button of panel.querySelectorAll(".widget-play button")) {
      const icon = button.querySelector("i")?.className ?? "";
      const label = ["play", "pause", "stop", "repeat", "retweet"].find((word) => icon.includes(word));
      const words = { play: "Play", pause: "Pause", stop: "Stop", repeat: "Repeat", retweet: "Repeat" };
      if (label && button.getAttribute("aria-label") !== words[label]) {
        button.setAttribute("aria-label", words[label]);
        button.title = words[label];
      }
    }
  };
  const attach = () => {
    if (stop.signal.aborted) return;
    const panel = el.closest(".igviz-panel");
    if (!panel) {
      requestAnimationFrame(attach);
      return;
    }
    const watcher = new MutationObserver(() => name(panel));
    watcher.observe(panel, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
      attributeFilter: ["aria-valuetext", "class"],
    });
    stop.signal.addEventListener("abort", () => watcher.disconnect());
    name(panel);
    on(panel, "click", (event) => {
      if (event.target.closest("button") && !event.target.closest(".igviz-tools")) expectAnswer();
    });
    density();
  };

  // -- a kernel that is gone -------------------------------------------------------------------------
  const manager = model.widget_manager;
  for (const id of model.get("slider_ids")) {
    manager.get_model(id).then((slider) => {
      if (!stop.signal.aborted) listen(slider, "change:value change:index", expectAnswer);
    });
  }
  manager.get_model(model.get("own_id")).then((own) => {
    const check = () => {
      dead = !own.comm_live;
      if (dead) clearTimeout(busyTimer);
      el.closest(".igviz-panel")?.classList.toggle("igviz-dead", dead);
      say();
    };
    if (stop.signal.aborted) return;
    listen(own, "comm_live_update", check);
    if (!own.comm_live) check();
  });

  resize();
  write();
  seen = [model.get("serial"), model.get("frame")];
  frame();
  attach();

  return () => {
    stop.abort();
    for (const quit of listening) quit();
    for (const timer of [restTimer, speakTimer, busyTimer]) clearTimeout(timer);
    if (url) URL.revokeObjectURL(url);
  };
}

export default { render };
