// What somebody who looks at the page would see, as functions.
(() => {
  "use strict";

  const isVisible = element => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const named = element => {
    const place = element.closest("figure, section, nav, header, dialog");
    return `${place?.dataset.chart ?? place?.id ?? place?.tagName ?? "page"} ${element.tagName}.${element.getAttribute("class") ?? ""}`;
  };
  const drawings = () => [...document.querySelectorAll("svg.chart")].filter(isVisible);
  const textsOf = drawing => [...drawing.querySelectorAll("text")].filter(isVisible);

  /** Pages and elements that are wider than the window. */
  function sideways() {
    const over = document.documentElement.scrollWidth - innerWidth;
    return over > 0 ? [`the page is ${over} px wider than the window`] : [];
  }

  /** Texts of drawings that leave them or lie on each other. */
  function misplacedLabels() {
    const found = [];
    for (const drawing of drawings()) {
      const frame = drawing.getBoundingClientRect();
      const labels = textsOf(drawing).map(text => ({ text: text.textContent, box: text.getBoundingClientRect() }));
      for (const { text, box } of labels) {
        const over = Math.max(frame.left - box.left, box.right - frame.right, frame.top - box.top, box.bottom - frame.bottom);
        if (over > 1) found.push(`${named(drawing)}: "${text}" is outside by ${over.toFixed(0)} px`);
      }
      labels.forEach((one, index) => {
        for (const other of labels.slice(index + 1)) {
          const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
          const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
          // A line's box is higher than its letters.
          if (wide > 1 && high > 0.3 * Math.min(one.box.height, other.box.height)) found.push(`${named(drawing)}: "${one.text}" lies on "${other.text}"`);
        }
      });
    }
    return found;
  }

  /** Every text of the page with its boxes, a line each. */
  function* lines() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      const element = node.parentElement;
      if (!node.data.trim() || element.closest("script, style, title, desc, .skip") || !isVisible(element)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      yield { element, text: node.data.trim().slice(0, 60), boxes: [...range.getClientRects()].filter(box => box.width > 1) };
    }
  }

  const scrolls = element => /auto|scroll/.test(getComputedStyle(element).overflowX);

  /** Texts that leave an element around them which does not scroll. */
  function clippedTexts() {
    const found = [];
    for (const { element, text, boxes } of lines()) {
      if (element.closest("svg")) continue;
      for (const box of boxes) {
        for (let around = element; around && around !== document.body; around = around.parentElement) {
          const style = getComputedStyle(around);
          const frame = around.getBoundingClientRect();
          if (style.display === "inline") continue;
          if (scrolls(around)) break;
          if (style.overflow === "hidden" && box.bottom > frame.bottom + 1.5) found.push(`${named(around)} cuts off "${text}"`);
          const isWider = box.right > frame.right + 1.5 || box.left < frame.left - 1.5;
          if (isWider && !around.closest(".scroll")) found.push(`${named(around)} is narrower than "${text}"`);
        }
      }
    }
    return [...new Set(found)];
  }

  // ---- contrast, by WCAG 2.2, "relative luminance" and "contrast ratio"

  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const painted = new Map();
  /** A colour of CSS as red, green, blue and its opacity from 0 to 1. */
  function colour(text) {
    if (!painted.has(text)) {
      paint.clearRect(0, 0, 1, 1);
      paint.fillStyle = text;
      paint.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = paint.getImageData(0, 0, 1, 1).data;
      painted.set(text, [red, green, blue, alpha / 255]);
    }
    return [...painted.get(text)];
  }
  const over = (top, below) => [0, 1, 2].map(part => top[part] * top[3] + below[part] * (1 - top[3])).concat(1);
  function luminance(of) {
    const [red, green, blue] = of.slice(0, 3).map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
  function ratio(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }
  const opacity = element => {
    let product = 1;
    for (let around = element; around; around = around.parentElement) product *= Number(getComputedStyle(around).opacity);
    return product;
  };

  /** The colour behind an element of the page. */
  function behind(element) {
    const layers = [];
    for (let around = element; around; around = around.parentElement) layers.unshift(colour(getComputedStyle(around).backgroundColor));
    return layers.reduce((below, layer) => over(layer, below), colour("Canvas"));
  }

  /** The colour behind the middle of a text of a drawing: that of the last filled shape before it which covers it. */
  function behindLabel(text) {
    const drawing = text.closest("svg");
    const box = text.getBoundingClientRect();
    const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
    let below = behind(drawing);
    for (const shape of drawing.querySelectorAll("rect, path, polygon, circle")) {
      const isBefore = shape.compareDocumentPosition(text) & Node.DOCUMENT_POSITION_FOLLOWING;
      const style = getComputedStyle(shape);
      if (!isBefore || style.fill === "none" || !isVisible(shape)) continue;
      if (!shape.isPointInFill(new DOMPoint(x, y).matrixTransform(shape.getScreenCTM().inverse()))) continue;
      const fill = colour(style.fill);
      fill[3] *= Number(style.fillOpacity) * opacity(shape);
      below = over(fill, below);
    }
    return below;
  }

  /** Texts whose contrast is below 4.5. */
  function faintTexts() {
    const found = new Set();
    for (const { element, text } of lines()) {
      const isLabel = element.closest("svg") !== null;
      const style = getComputedStyle(element);
      const below = isLabel ? behindLabel(element) : behind(element);
      const ink = colour(isLabel ? style.fill : style.color);
      ink[3] *= opacity(element) * (isLabel ? Number(style.fillOpacity) : 1);
      const contrast = ratio(over(ink, below), below);
      if (contrast < 4.5) found.add(`${named(element)}: "${text}" has a contrast of ${contrast.toFixed(2)}`);
    }
    return [...found];
  }

  /** Opens what is folded, and returns all that is wrong. */
  function faults() {
    document.querySelectorAll("details").forEach(details => { details.open = true; });
    return [sideways(), misplacedLabels(), clippedTexts(), faintTexts()].flat();
  }

  /** Where the first screen ends: the lower edges of what must be on it, in pixels. */
  function firstScreen() {
    const ends = ["h1", ".answer p", "table[data-name=verdicts]", ".glance figure svg"].map(selector => {
      const found = [...document.querySelectorAll(selector)].filter(isVisible);
      return [selector, found.length ? Math.round(found[0].getBoundingClientRect().bottom) : null];
    });
    return Object.fromEntries(ends);
  }

  /** The words of the page and how many drawings and tables it has: what must be there without a script, too. */
  function contents() {
    const of = selector => [...document.querySelectorAll(selector)].filter(element => !element.closest(".tools, .bar, .tip, dialog"));
    return {
      figures: of("figure").map(figure => [figure.dataset.chart, figure.querySelectorAll("svg.chart").length, figure.querySelectorAll("table tbody tr").length]),
      tables: of("main table").map(table => [...table.rows].map(row => [...row.cells].map(cell => cell.textContent.replace(/[▲▼↕]/g, "").trim()).join(" | "))),
      controls: document.querySelectorAll("button, input, select, textarea").length,
    };
  }

  return { faults, misplacedLabels, firstScreen, contents };
})()
