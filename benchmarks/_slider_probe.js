// Watches the picture in one cell: at every animation frame a thumbnail of it is compared with the last one.
// A new picture is one in which some value of the thumbnail moved by more than LEAST of 255, so that a JPEG
// and the PNG of the same pixels count as one picture.
(() => {
  const WIDTH = 96;
  const HEIGHT = 48;
  const LEAST = 8;
  const SMALLEST = 300; // narrower images are icons

  const paper = new OffscreenCanvas(WIDTH, HEIGHT);
  const pen = paper.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "medium";

  let place = null;
  let last = null;
  let presses = [];
  let changes = [];
  let frames = 0;

  const look = () => {
    const seen = [...place.querySelectorAll("img, canvas")].filter((one) =>
      one instanceof HTMLImageElement ? one.complete && one.naturalWidth > SMALLEST : one.width > SMALLEST
    );
    if (!seen.length) return null; // between two pictures
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, WIDTH, HEIGHT);
    for (const one of seen) pen.drawImage(one, 0, 0, WIDTH, HEIGHT);
    return pen.getImageData(0, 0, WIDTH, HEIGHT).data;
  };

  const differ = (one, other) => {
    for (let k = 0; k < one.length; k++) if (Math.abs(one[k] - other[k]) > LEAST) return true;
    return false;
  };

  const tick = () => {
    if (!place) return;
    const now = performance.now();
    const next = look();
    frames += 1;
    if (next && (!last || differ(next, last))) {
      last = next;
      changes.push(now);
    }
    requestAnimationFrame(tick);
  };

  window.addEventListener("keydown", () => presses.push(performance.now()), { capture: true });

  window.sliderProbe = {
    watch(cell) {
      const running = place !== null;
      place = cell;
      last = look();
      presses = [];
      changes = [];
      frames = 0;
      if (!running) requestAnimationFrame(tick);
    },
    // Resolves when a change has come (if one is needed) and `quiet` milliseconds went by without another.
    settled(quiet, patience, needed) {
      const begin = performance.now();
      return new Promise((resolve, reject) => {
        const check = () => {
          const now = performance.now();
          const since = now - Math.max(begin, changes.at(-1) ?? 0);
          if ((changes.length || !needed) && since > quiet) {
            place = null;
            resolve({ presses, changes, frames, origin: performance.timeOrigin });
          } else if (now - begin > patience) {
            place = null;
            reject(new Error(`the picture did not ${changes.length ? "come to rest" : "change"}`));
          } else setTimeout(check, 20);
        };
        check();
      });
    },
  };
})();
