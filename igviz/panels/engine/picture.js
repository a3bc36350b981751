// The page's side of a panel: shows each frame with its sentence, names the controls for screen readers,
// and tells the reader when the kernel is busy, was restarted, or could not draw.

const REST = 150; // ms without a frame before the lossless picture is asked for
const SPEAK = 600; // ms without a frame before the sentence is spoken
const BUSY = 3000; // ms without an answer before the reader is told

const RESUME = 300; // ms after a line came back until what it lost is sent again
const MOVED_AFTER = 300; // ms without a panel in its place until the reader is told
const MOST_TAP = 10; // CSS pixels a finger may move and still tap

const RESTARTED = "The kernel was restarted. Run this cell again to move the sliders.";
const SHUT_DOWN = "The kernel was shut down. Start one in the menu Kernel and run this cell again.";
const CUT = "The line to the kernel is interrupted. The picture follows when it is back.";
const WAITING = "The kernel is busy. The picture follows when it is free.";
const MOVED = "This panel was closed, or made anew where its cell ran again. Run this cell to show it here.";

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
  let busy = false;
  let line_is = "connected"; // or "cut", "down" (no kernel any more), "restarted"
  let url;

  const say = () => {
    const dead = line_is === "down" || line_is === "restarted";
    const lost = { down: SHUT_DOWN, restarted: RESTARTED, cut: CUT }[line_is];
    const problem = model.get("problem");
    notice.textContent = lost || problem || (busy ? WAITING : "");
    notice.classList.toggle("igviz-problem", dead || Boolean(problem));
    el.closest(".igviz-panel")?.classList.toggle("igviz-dead", dead);
  };
  const answered = () => {
    clearTimeout(busyTimer);
    busyTimer = undefined;
    busy = false;
    say();
  };
  const expectAnswer = () => {
    if (busyTimer !== undefined) return;
    busyTimer = setTimeout(() => {
      busy = true;
      say();
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
  let grip = [0, 0]; // from the pointer to the point it holds
  let tap; // where a finger touched the picture, until it moves on
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
    model.set("pointer", [across + grip[0], down + grip[1], ++count]);
    model.save_changes();
    expectAnswer();
  };
  on(card, "pointerdown", (event) => {
    if (event.button !== 0 || !inside(place(event))) return;
    if (event.pointerType === "touch" && event.target !== handle) {
      tap = [event.clientX, event.clientY]; // a finger elsewhere scrolls the page, or taps
      return;
    }
    dragging = true;
    card.setPointerCapture(event.pointerId);
    card.classList.add("igviz-dragging");
    if (event.target === handle) {
      const [across, down] = place(event);
      const point = model.get("handle");
      grip = [point[0] - across, point[1] - down];
    } else {
      move(event);
    }
  });
  on(card, "pointermove", (event) => {
    card.classList.toggle("igviz-draggable", inside(place(event)));
    if (dragging) move(event);
  });
  for (const type of ["pointerup", "pointercancel"]) {
    on(card, type, (event) => {
      dragging = false;
      grip = [0, 0];
      card.classList.remove("igviz-dragging");
      const near = tap && Math.hypot(event.clientX - tap[0], event.clientY - tap[1]) < MOST_TAP;
      if (type === "pointerup" && near) move(event);
      tap = undefined;
    });
  }

  // -- the controls beside the picture ---------------------------------------------------------------
  const rooms = {}; // for a slider of words: room for the longest, so that its track keeps its length
  const name = (panel) => {
    for (const [number, row] of panel.querySelectorAll(".widget-slider").entries()) {
      const grip = row.querySelector(".noUi-handle");
      const label = row.querySelector(".widget-label")?.textContent?.trim();
      const value = row.querySelector(".widget-readout")?.textContent?.trim();
      if (!grip || !label) continue;
      const readout = row.querySelector(".widget-readout");
      if (readout && !readout.hasAttribute("aria-label")) {
        readout.setAttribute("aria-label", `${label}, value`);
      }
      if (readout && rooms[number]) readout.style.minWidth = rooms[number];
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
  // JupyterLab and Notebook take a key pressed on a slider or a button for a command on the cell: x deletes
  // it, and Notebook an arrow for a step to the next cell. They look for this mark on the pressed element
  // alone, Notebook before the event reaches it. What runs a cell or saves the notebook stays theirs.
  const fence = (event) => {
    if (!el.closest(".igviz-panel")?.contains(event.target)) return;
    const modified = event.ctrlKey || event.metaKey;
    const runs = event.key === "Enter" && (modified || event.shiftKey || event.altKey);
    const theirs = runs || (modified && event.key.toLowerCase() === "s");
    event.target.toggleAttribute("data-lm-suppress-shortcuts", !theirs);
  };
  let host; // the page's element around the panel, which outlives it
  const attach = () => {
    if (stop.signal.aborted) return;
    const panel = el.closest(".igviz-panel");
    if (!panel) {
      requestAnimationFrame(attach);
      return;
    }
    host = panel.parentElement;
    panel.tabIndex = -1; // a press beside the controls leaves the keys here, not with the cell
    on(window, "keydown", fence, { capture: true });
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

  // -- a line that was cut, a kernel that is gone ---------------------------------------------------
  const models = []; // those of the sliders and of Play, and this one; not the proxies that anywidget gives
  let lost = []; // what a reader chose and the kernel never heard
  const unanswered = () =>
    models
      .filter((one) => one._pending_msgs > 0)
      .map((one) => [one, ["value", "index"].find((key) => one.has(key))])
      .map(([one, name]) => [one, name && { [name]: one.get(name) }]);
  const resume = () => {
    for (const [one, attrs] of lost) {
      // ipywidgets sends no change of a model before the last one is answered, and an answer that was lost
      // with the line never comes. Private names: look after them when ipywidgets is updated; the test of a
      // line that drops guards them.
      one._pending_msgs = 0;
      one._msg_buffer = null;
      if (!attrs) continue;
      one.set(attrs); // the page has asked the kernel for its values meanwhile
      one.sync("patch", one, { attrs });
    }
    lost = [];
    model.send({ kind: "again" });
  };
  const known = async (kernel) => {
    const { baseUrl } = kernel.serverSettings;
    return (await fetch(`${baseUrl}api/kernels/${kernel.id}`)).status !== 404;
  };
  const watch = (kernel) => {
    let timer;
    const look = async () => {
      const before = line_is;
      const ended = kernel.isDisposed || ["dead", "terminating"].includes(kernel.status);
      if (line_is === "restarted" || line_is === "down") return;
      line_is = ended ? "down" : kernel.connectionStatus === "connected" ? "connected" : "cut";
      say();
      if (before === "connected" && line_is === "cut") lost = unanswered();
      if (kernel.connectionStatus === "disconnected" && !ended) {
        // JupyterLab has given up; a kernel that was shut down by the server looks like a broken line
        if (!(await known(kernel).catch(() => true))) line_is = "down";
        say();
      }
      if (before === "cut" && line_is === "connected") {
        clearTimeout(timer);
        timer = setTimeout(resume, RESUME);
      }
    };
    for (const signal of [kernel.connectionStatusChanged, kernel.statusChanged, kernel.disposed]) {
      signal.connect(look);
      listening.push(() => signal.disconnect(look));
    }
    listening.push(() => clearTimeout(timer));
  };
  const manager = model.widget_manager;
  for (const [number, id] of model.get("control_ids").entries()) {
    manager.get_model(id).then((control) => {
      if (stop.signal.aborted) return;
      models.push(control);
      const words = control.get("_options_labels");
      if (words) rooms[number] = `${Math.max(...words.map((word) => word.length))}ch`;
      listen(control, "change:value change:index", expectAnswer);
    });
  }
  manager.get_model(model.get("own_id")).then((own) => {
    if (stop.signal.aborted) return;
    models.push(own);
    const check = () => {
      if (own.comm_live || line_is === "down") return;
      line_is = "restarted";
      clearTimeout(busyTimer);
      say();
    };
    listen(own, "comm_live_update", check);
    check();
    const kernel = own.widget_manager.kernel; // other front ends have no such thing
    if (kernel?.connectionStatusChanged) watch(kernel);
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
    // the output stays where the panel was closed by a run of another cell, or in another page
    setTimeout(() => {
      if (!host?.isConnected || host.querySelector(".igviz-panel, .igviz-moved")) return;
      host.classList.remove("lm-mod-hidden"); // JupyterLab hides what has lost its widget
      element("p", "igviz-moved", host).textContent = MOVED;
    }, MOVED_AFTER);
  };
}

export default { render };
