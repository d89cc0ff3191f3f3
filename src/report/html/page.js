"use strict";
// Makes the page answer questions. Without it nothing is missing: it only reads what the page holds, and the
// controls are made here, so that none is dead. The drawings stay as they are but for the coordinates in `g.plot`.
(() => {
  const all = (what, of = document) => [...of.querySelectorAll(what)];
  const one = (what, of = document) => of.querySelector(what);
  const specs = new Map(JSON.parse(one("#charts").textContent).map(spec => [spec.name, spec]));
  const run = JSON.parse(one("#run").textContent);
  const SVG = "http://www.w3.org/2000/svg";

  /** An element with attributes and children; an attribute that is a function is a listener. */
  function make(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (typeof value === "function") made.addEventListener(key, value);
      else if (value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  }

  // What the reader chose. It is in the address, so that a view can be shared.
  const view = { on: null, only: false, filter: "", sorts: {}, log: [], relative: [], zoom: null, open: [], trial: null };

  function store() {
    const kept = Object.entries(view).filter(([, value]) =>
      value || value === 0).filter(([, value]) => typeof value !== "object" || Object.keys(value).length > 0);
    const text = kept.length ? "#v=" + encodeURIComponent(JSON.stringify(Object.fromEntries(kept))) : " ";
    history.replaceState(null, "", text === " " ? location.pathname + location.search : text);
  }

  /** Takes over a view from the address; one that is wrong is ignored. */
  function restore() {
    if (!location.hash.startsWith("#v=")) return;
    try {
      const stored = JSON.parse(decodeURIComponent(location.hash.slice(3)));
      for (const key of Object.keys(view)) {
        const [was, is] = [view[key], stored[key]];
        const fits = is !== undefined && (was === null || typeof is === typeof was && Array.isArray(is) === Array.isArray(was));
        if (fits) view[key] = is;
      }
    } catch {
      return;
    }
    if (!(Array.isArray(view.zoom) && view.zoom.length === 2 && view.zoom.every(Number.isFinite))) view.zoom = null;
    if (!marked.some(element => configurations(element).includes(view.on))) view.on = null;
    view.open.forEach(id => document.getElementById(String(id))?.closest("details")?.setAttribute("open", ""));
  }

  // ---- configurations: one that is chosen anywhere is highlighted everywhere

  const configurations = element => (element.dataset.c ?? "").split(" ").filter(Boolean).map(Number);
  const marked = all("[data-c]");

  function highlight() {
    document.body.classList.toggle("chosen", view.on !== null);
    document.body.classList.toggle("only", view.on !== null && view.only);
    for (const element of marked) element.classList.toggle("on", view.on !== null && configurations(element).includes(view.on));
    bar.hidden = view.on === null;
    if (view.on !== null) one("b", bar).textContent = nameOf(view.on);
    one("input", bar).checked = view.only;
  }

  /** The name of a configuration: from its row of a table. */
  function nameOf(configuration) {
    const row = marked.find(element => element.matches("tr") && configurations(element).includes(configuration));
    return row ? row.cells[row.closest("table").dataset.name === "trials" ? 3 : 0].textContent : `configuration ${configuration + 1}`;
  }

  function choose(configuration) {
    view.on = view.on === configuration ? null : configuration;
    highlight();
    store();
  }

  const bar = make("div", { class: "bar", hidden: true, role: "status" },
    make("b"), " is highlighted ",
    make("label", {}, make("input", { type: "checkbox", change: event => { view.only = event.target.checked; highlight(); store(); } }), " hide others"),
    " ", make("button", { type: "button", click: () => choose(view.on) }, "Show all"));

  function choosable(element) {
    const [first] = configurations(element);
    const of = () => configurations(element).includes(view.on) ? view.on : first;
    element.addEventListener("click", event => {
      if (event.target.closest("[data-t], a, button, summary")) return;
      const inner = event.target.closest("[data-c]");
      if (inner === element) choose(of());
    });
    if (element.matches(".entry")) {
      element.setAttribute("tabindex", "0");
      element.setAttribute("role", "button");
      element.addEventListener("keydown", event => press(event, () => choose(of())));
    }
    const cell = element.matches("td") ? element : element.matches("tr") && one("th", element);
    if (cell) cell.append(make("button", { type: "button", class: "plain", click: () => choose(first) }, ...cell.childNodes));
  }

  function press(event, act) {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    act();
  }

  // ---- values: what a mark stands for

  const tip = make("div", { class: "tip", role: "status", "aria-live": "polite", hidden: true });

  function short(value) {
    const steps = [[1e9, " G"], [1e6, " M"], [1e3, " k"]];
    const [unit, letter] = steps.find(([size]) => Math.abs(value) >= size) ?? [1, ""];
    return `${Number((value / unit).toPrecision(3))}${letter}`;
  }

  function seconds(value) {
    const units = [[60, "min", 60], [1, "s", 1], [1e-3, "ms", 1e-3], [1e-6, "us", 1e-6]];
    const [, unit, size] = units.find(([from]) => Math.abs(value) >= from) ?? [0, "s", 1];
    return `${Number((value / size).toPrecision(3))} ${unit}`;
  }

  const READ = {
    rate: value => `${short(value)}/s`,
    seconds,
    milliseconds: value => seconds(value / 1e3),
    percent: value => `${Number((value * 100).toPrecision(3))} %`,
    nines: value => `${Number((value * 100).toPrecision(9))} %`,
    ratio: value => `${Number(value.toPrecision(3))}×`,
    count: short,
  };

  function describe(mark) {
    const figure = mark.closest("figure");
    const spec = specs.get(figure.dataset.chart);
    const panel = spec.panels[mark.closest(".panel").dataset.panel];
    const read = axis => value => relative(spec, panel, axis) ? `${(value / panel.base).toFixed(2)}×` : READ[axis.tick](value);
    const trial = mark.dataset.t ? `trial ${mark.dataset.t}: ` : "";
    const row = mark.closest(".row");
    if (row) {
      const found = panel.rows[all(".row", row.parentNode).indexOf(row)];
      const data = found.marks[mark.dataset.i];
      const of = read(spec.x);
      const value = {
        dot: () => of(data.x) + (data.hollow ? " (not used)" : ""),
        interval: () => `${of(data.point)} [${of(data.low)}, ${of(data.high)}]`,
        whisker: () => `95 % interval from ${of(data.low)} to ${of(data.high)}`,
        bar: () => `${data.name} ${of(data.to - data.from)}`,
      }[data.k]();
      return `${found.label}: ${trial}${value}`;
    }
    const title = one("title", mark);
    if (title) return title.textContent;
    const at = place(mark, panelOf(mark));
    const name = nameOf(configurations(mark.closest("[data-c]") ?? mark)[0] ?? 0);
    return `${name}: ${trial}${read(spec.y)(at.y)} at ${READ[spec.x.tick](at.x)}`;
  }

  function showTip(mark) {
    const box = mark.getBoundingClientRect();
    tip.textContent = describe(mark);
    tip.hidden = false;
    const [wide, high] = [tip.offsetWidth, tip.offsetHeight];
    const left = Math.min(Math.max(box.left + box.width / 2 - wide / 2, 4), innerWidth - wide - 4);
    const above = box.top - high - 8;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above > 4 ? above : box.bottom + 8) + scrollY}px`;
  }

  const hideTip = () => { tip.hidden = true; };

  /** Arrow keys walk through the marks of a drawing; one of them is a stop of the tab key. */
  function walkable(drawing) {
    const marks = all(".mark", drawing);
    // What may be focused must not be hidden in a picture.
    if (marks.length) drawing.setAttribute("role", "group");
    marks.forEach((mark, index) => {
      mark.setAttribute("tabindex", index === 0 ? "0" : "-1");
      mark.setAttribute("role", "button");
      mark.setAttribute("aria-label", describe(mark));
      mark.addEventListener("pointerenter", () => showTip(mark));
      mark.addEventListener("pointerleave", hideTip);
      mark.addEventListener("focus", () => showTip(mark));
      mark.addEventListener("blur", hideTip);
      mark.addEventListener("click", event => {
        if (!mark.dataset.t) return;
        event.stopPropagation();
        openTrial(Number(mark.dataset.t));
      });
      mark.addEventListener("keydown", event => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        const next = step && marks[index + step];
        if (next) {
          event.preventDefault();
          mark.setAttribute("tabindex", "-1");
          next.setAttribute("tabindex", "0");
          next.focus();
        } else {
          press(event, () => mark.dataset.t ? openTrial(Number(mark.dataset.t)) : choose(configurations(mark.closest("[data-c]"))[0]));
        }
      });
    });
  }

  // ---- scales: the coordinates in a panel's plot, and its axes

  const TO = { lin: value => value, log: value => Math.log10(Math.max(value, 1e-12)), nines: value => -Math.log10(Math.max(1 - value, 1e-15)) };
  const FROM = { lin: value => value, log: value => 10 ** value, nines: value => 1 - 10 ** -value };

  /** A scale from its attribute: `BEGIN END MIN MAX kind`. */
  function scale(text) {
    const [begin, end, min, max, kind] = text.split(" ").map((part, index) => index < 4 ? Number(part) : part);
    return { begin, end, min, max, kind };
  }

  const at = (s, value) => s.begin + (s.end - s.begin) * (TO[s.kind](value) - TO[s.kind](s.min)) / (TO[s.kind](s.max) - TO[s.kind](s.min));
  const value = (s, pixel) => FROM[s.kind](TO[s.kind](s.min) + (pixel - s.begin) / (s.end - s.begin) * (TO[s.kind](s.max) - TO[s.kind](s.min)));

  /** The axis' name has the unit. */
  const atAxis = (tick, value) => ["percent", "nines"].includes(tick) ? READ[tick](value) : short(value);

  const panels = all("svg .panel").map(element => {
    const spec = specs.get(element.closest("figure").dataset.chart);
    const parts = all(".plot *", element).filter(part => part.matches("polyline, polygon, rect, circle, .mark, .event") && !part.parentNode.closest(".mark, .event"));
    const inner = all(".plot .mark > rect, .plot .mark > polyline", element).filter(part => !part.parentNode.getAttribute("transform"));
    const moved = [...parts.filter(part => part.tagName !== "g" || part.getAttribute("transform")), ...inner]
      .map(part => ({ part, was: Object.fromEntries(["points", "transform", "x", "width", "cx", "cy", "y", "height"].map(key => [key, part.getAttribute(key)])) }));
    return { element, spec, data: spec.panels[element.dataset.panel], x: scale(element.dataset.x), y: element.dataset.y && scale(element.dataset.y), moved,
      axes: all(".axis", element).map(axis => ({ axis, children: [...axis.childNodes] })) };
  });
  const panelOf = mark => panels.find(panel => panel.element === mark.closest(".panel"));

  function place(mark, panel) {
    const [x, y] = mark.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
    return { x: value(panel.now?.x ?? panel.x, x), y: value(panel.now?.y ?? panel.y, y) };
  }

  const mainAxis = spec => spec.kind === "rows" ? "x" : "y";
  const relative = (spec, panel, axis) => view.relative.includes(spec.name) && panel.base > 0 && axis === spec[mainAxis(spec)];

  /** The smallest value above 0 that a panel draws, for a logarithmic axis. */
  function least(panel) {
    if (panel.data.rows?.some(row => row.marks.some(mark => mark.k === "bar"))) return Infinity;
    const rows = (panel.data.rows ?? []).flatMap(row => row.marks.flatMap(mark => [mark.low, mark.x, mark.to]));
    const lines = (panel.data.lines ?? []).flatMap(line => [...(line.points ?? []), ...(line.marked ?? [])].map(point => point[1]));
    return Math.min(...[...rows, ...lines].filter(number => number > 0), Infinity);
  }

  function rescale(panel) {
    const now = { x: { ...panel.x }, y: panel.y && { ...panel.y } };
    const main = now[mainAxis(panel.spec)];
    if (view.log.includes(panel.spec.name) && main.kind === "lin" && Number.isFinite(least(panel))) {
      Object.assign(main, { kind: "log", min: Math.max(least(panel) / 1.5, main.max / 1e6) });
    }
    if (panel.spec.x.time && view.zoom) [now.x.min, now.x.max] = view.zoom;
    panel.now = now;
    const changed = JSON.stringify([now.x, now.y]) !== JSON.stringify([panel.x, panel.y]);
    const x = pixel => at(now.x, value(panel.x, pixel));
    const y = pixel => now.y ? at(now.y, value(panel.y, pixel)) : pixel;
    const round = number => Number.isFinite(number) ? Number(number.toFixed(1)) : 0;
    for (const { part, was } of panel.moved) {
      const set = (key, text) => { if (text === null || text === undefined) part.removeAttribute(key); else part.setAttribute(key, text); };
      const event = part.matches(".event");
      if (!changed) Object.entries(was).forEach(([key, text]) => { if (text !== null) set(key, text); });
      else if (was.transform) {
        const [left, top] = was.transform.match(/-?[\d.]+/g).map(Number);
        set("transform", `translate(${round(x(left))} ${event ? top : round(y(top))})`);
        part.classList.toggle("out", outside(now.x, x(left)));
      } else if (was.points) {
        const points = was.points.trim().split(" ").map(pair => pair.split(",").map(Number));
        set("points", points.map(([left, top]) => `${round(x(left))},${round(part.closest(".strip") ? top : y(top))}`).join(" "));
      } else if (was.cx) {
        set("cx", round(x(Number(was.cx))));
        set("cy", round(y(Number(was.cy))));
      } else if (was.width) {
        const [from, to] = [x(Number(was.x)), x(Number(was.x) + Number(was.width))];
        set("x", round(from));
        set("width", round(Math.max(to - from, 0)));
      }
    }
    panel.element.classList.toggle("zoomed", changed && Boolean(view.zoom) && Boolean(panel.spec.x.time));
    clip(panel);
    for (const { axis, children } of panel.axes) {
      const key = axis.matches(".x") ? "x" : "y";
      const same = JSON.stringify(now[key]) === JSON.stringify(panel[key]) && !relative(panel.spec, panel.data, panel.spec[key]);
      axis.replaceChildren(...(same ? children : ticks(panel, key, children)));
    }
  }

  const outside = (s, pixel) => pixel < Math.min(s.begin, s.end) - 0.5 || pixel > Math.max(s.begin, s.end) + 0.5;

  /** What a zoom moves out of a panel is cut off at its edges. */
  function clip(panel) {
    const plot = one(".plot", panel.element);
    if (!panel.element.classList.contains("zoomed")) {
      plot.removeAttribute("clip-path");
      return;
    }
    const drawing = panel.element.closest("svg");
    const id = `clip-${panel.spec.name}-${drawing.classList.contains("wide") ? "w" : "n"}-${panel.element.dataset.panel}`;
    if (!document.getElementById(id)) {
      const path = document.createElementNS(SVG, "clipPath");
      path.id = id;
      const box = document.createElementNS(SVG, "rect");
      const sizes = { x: panel.x.begin, y: 0, width: panel.x.end - panel.x.begin, height: drawing.viewBox.baseVal.height };
      Object.entries(sizes).forEach(([key, size]) => box.setAttribute(key, size));
      path.append(box);
      drawing.append(path);
    }
    plot.setAttribute("clip-path", `url(#${id})`);
  }

  /** Round values between two others. */
  function round(s, base, count) {
    const [min, max] = [s.min / base, s.max / base];
    if (s.kind === "log") {
      const found = [];
      for (let power = Math.floor(Math.log10(min)); power <= Math.log10(max); power += 1) found.push(...[1, 2, 5].map(step => step * 10 ** power));
      const within = found.filter(number => number >= min && number <= max);
      if (within.length > 1) return within.filter((_, index) => index % Math.ceil(within.length / (count + 2)) === 0);
    }
    const rough = (max - min) / count;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map(times => times * power).find(size => size >= rough);
    const first = Math.ceil(min / step - 1e-9);
    return Array.from({ length: Math.floor(max / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step);
  }

  /** The lines and texts of an axis, in the style of those that were drawn. */
  function ticks(panel, key, children) {
    const lines = children.filter(child => child.tagName === "polyline");
    const texts = children.filter(child => child.tagName === "text");
    const model = lines[lines.length - 1]?.getAttribute("points").split(" ").map(pair => pair.split(",").map(Number));
    const scaled = panel.now[key];
    const isRelative = relative(panel.spec, panel.data, panel.spec[key]);
    const base = isRelative ? panel.data.base : 1;
    const made = [];
    for (const number of round(scaled, base, 4)) {
      const pixel = Number(at(scaled, number * base).toFixed(1));
      const place = key === "x" ? 0 : 1;
      if (model) {
        const line = lines[lines.length - 1].cloneNode();
        line.setAttribute("points", model.map(pair => pair.map((was, index) => index === place ? pixel : was).join(",")).join(" "));
        made.push(line);
      }
      if (texts.length) {
        const text = texts[0].cloneNode();
        text.setAttribute(key, pixel);
        text.textContent = isRelative ? `${Number(number.toPrecision(3))}×` : atAxis(panel.spec[key].tick, number);
        made.push(text);
      }
    }
    return made;
  }

  const redraw = () => panels.forEach(rescale);

  // ---- the tools of a chart

  const toggle = (list, name) => list.includes(name) ? list.splice(list.indexOf(name), 1) : list.push(name);

  function tools(figure) {
    const spec = specs.get(figure.dataset.chart);
    const button = (label, act, pressed = false) => make("button", { type: "button", "aria-pressed": pressed, click: act }, label);
    const switched = (label, list) => button(label, event => {
      toggle(view[list], spec.name);
      event.target.setAttribute("aria-pressed", String(view[list].includes(spec.name)));
      redraw();
      store();
    }, String(view[list].includes(spec.name)));
    const made = [];
    const own = panels.filter(panel => panel.spec === spec);
    if (own.some(panel => panel[mainAxis(spec)]?.kind === "lin" && Number.isFinite(least(panel)))) made.push(switched("Log axis", "log"));
    if (spec.panels.some(panel => panel.base > 0)) made.push(switched("Relative to the baseline", "relative"));
    if (spec.x.time) {
      made.push(button("Zoom in", () => zoom(0.5)), button("Zoom out", () => zoom(2)), button("←", () => pan(-0.25)), button("→", () => pan(0.25)), button("All", () => setZoom(null)));
      all("svg", figure).forEach(drawing => drag(drawing));
    }
    made.push(button("Copy as SVG", event => copy(standalone(figure), "image/svg+xml", `${spec.name}.svg`, event.target)));
    one("details", figure).before(make("div", { class: "tools", role: "group", "aria-label": `Tools of the chart ${spec.title}` }, ...made));
  }

  const timeEnd = () => Math.max(...panels.filter(panel => panel.spec.x.time).map(panel => panel.x.max));

  function setZoom(range) {
    view.zoom = range && range[1] - range[0] > timeEnd() / 1000 ? [Math.max(range[0], 0), Math.min(range[1], timeEnd())] : null;
    if (view.zoom && view.zoom[0] <= 0 && view.zoom[1] >= timeEnd()) view.zoom = null;
    redraw();
    store();
  }

  function zoom(factor) {
    const [from, to] = view.zoom ?? [0, timeEnd()];
    const half = (to - from) / 2 * factor;
    setZoom([(from + to) / 2 - half, (from + to) / 2 + half]);
  }

  function pan(share) {
    if (!view.zoom) return;
    const [from, to] = view.zoom;
    const by = Math.min(Math.max((to - from) * share, -from), timeEnd() - to);
    setZoom([from + by, to + by]);
  }

  /** Dragging over a panel zooms into that time; a double click shows all. */
  function drag(drawing) {
    let began = null;
    const position = event => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
      const panel = panels.find(panel => panel.element.ownerSVGElement === drawing && !outside(panel.x, point.x) && panel.y && !outside(panel.y, point.y));
      return panel && { panel, time: value(panel.now?.x ?? panel.x, point.x), x: event.clientX };
    };
    drawing.addEventListener("pointerdown", event => { began = event.target.closest(".mark, .entry") ? null : position(event); });
    drawing.addEventListener("pointerup", event => {
      const ended = began && position(event);
      if (ended && ended.panel === began.panel && Math.abs(ended.x - began.x) > 8) setZoom([began.time, ended.time].sort((a, b) => a - b));
      began = null;
    });
    drawing.addEventListener("dblclick", () => setZoom(null));
  }

  // ---- tables: filter, sort, copy

  /** A figure with its unit as a number: `4.08 M/s`, `945 ms`, `12 of 13`. */
  function number(text) {
    const found = text.replaceAll(",", "").match(/^[−+-]?[\d.]+/);
    if (!found) return null;
    const unit = text.slice(found[0].length).trim().split(/[\s[×]/)[0].replace("/s", "");
    const sizes = { k: 1e3, M: 1e6, G: 1e9, us: 1e-6, ms: 1e-3, s: 1, min: 60, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
    return Number(found[0].replace("−", "-")) * (sizes[unit] ?? 1);
  }

  const tables = all("main table");

  function sortTable(table, column, descending) {
    const body = table.tBodies[0];
    const groups = [[]];
    for (const row of table.original ??= [...body.rows]) {
      if (row.matches(".group")) groups.push([row]);
      else groups[groups.length - 1].push(row);
    }
    const key = row => row.cells[column]?.innerText ?? row.cells[column]?.textContent ?? "";
    const compare = (a, b) => {
      const [x, y] = [number(key(a)), number(key(b))];
      const order = x !== null && y !== null ? x - y : x === null && y === null ? key(a).localeCompare(key(b)) : x === null ? 1 : -1;
      return descending ? -order : order;
    };
    for (const group of groups) {
      const head = group[0]?.matches(".group") ? [group[0]] : [];
      const rows = group.slice(head.length);
      body.append(...head, ...(column === null ? rows : rows.sort(compare)));
    }
    all("th[aria-sort]", table).forEach(head => head.removeAttribute("aria-sort"));
    if (column !== null) table.tHead.rows[0].cells[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
  }

  function sortable(table, id) {
    all("thead th", table).forEach((head, column) => {
      const button = make("button", { type: "button", class: "plain", click: () => {
        const now = head.getAttribute("aria-sort");
        if (now === "descending") delete view.sorts[id];
        else view.sorts[id] = [column, now === "ascending"];
        applySort(table, id);
        store();
      } }, ...head.childNodes);
      head.append(button);
    });
  }

  function applySort(table, id) {
    const [column, descending] = Array.isArray(view.sorts[id]) ? view.sorts[id] : [null, false];
    if (column === null || table.tHead.rows[0].cells[column]) sortTable(table, column, Boolean(descending));
  }

  function filter() {
    const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
    for (const table of tables) {
      for (const row of all("tbody tr[data-c]", table)) {
        const text = row.textContent.toLowerCase();
        row.classList.toggle("off", !words.every(word => text.includes(word)));
      }
    }
  }

  const cells = row => [...row.cells].flatMap(cell =>
    [cell.innerText.trim().replace(/\s*\n\s*/g, " "), ...Array(cell.colSpan - 1).fill("")]);

  function asMarkdown(table) {
    const line = row => `| ${cells(row).map(text => text.replaceAll("|", "\\|")).join(" | ")} |`;
    const head = table.tHead.rows[0];
    const rule = `| ${[...head.cells].map(cell => cell.matches(".n") ? "--:" : "---").join(" | ")} |`;
    return [line(head), rule, ...shown(table).map(line)].join("\n") + "\n";
  }

  function asCsv(table) {
    const field = text => /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    return [table.tHead.rows[0], ...shown(table)].map(row => cells(row).map(field).join(",")).join("\n") + "\n";
  }

  const shown = table => [...table.tBodies[0].rows].filter(row => !row.matches(".off"));

  function tableTools(table) {
    const label = table.closest("[role=region]").getAttribute("aria-label");
    const button = (name, text, type, file) => make("button", { type: "button", click: event => copy(text(table), type, file, event.target) }, name);
    table.closest(".scroll").after(make("div", { class: "tools", role: "group", "aria-label": `Tools of the table ${label}` },
      button("Copy as Markdown", asMarkdown, "text/markdown", "table.md"), button("Copy as CSV", asCsv, "text/csv", "table.csv")));
  }

  // ---- copying

  /** Copies a text, and says on the button what became of it. Where a page may not, the text becomes a file. */
  async function copy(text, type, file, button) {
    let said = "Copied";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { class: "aside", "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      if (!document.execCommand("copy")) {
        const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: file });
        link.click();
        said = `Saved as ${file}`;
      }
      area.remove();
      button.focus();
    }
    const label = button.dataset.label ??= button.textContent;
    button.textContent = said;
    setTimeout(() => { button.textContent = label; }, 2000);
  }

  /** The drawing that is shown, with its style sheet, so that it stands alone. */
  function standalone(figure) {
    const drawing = all("svg", figure).find(svg => getComputedStyle(svg).display !== "none").cloneNode(true);
    const style = document.createElementNS(SVG, "style");
    style.textContent = one("style").textContent.split("/* page */")[0];
    const title = document.createElementNS(SVG, "title");
    title.textContent = one("h3", figure).textContent;
    drawing.prepend(title, style);
    ["aria-labelledby", "aria-describedby"].forEach(name => drawing.removeAttribute(name));
    drawing.setAttribute("xmlns", SVG);
    return new XMLSerializer().serializeToString(drawing);
  }

  // ---- one trial, from its row of the table of all trials

  const dialog = make("dialog", { class: "trial", "aria-labelledby": "trial-title", close: () => { view.trial = null; store(); } });

  /** The share of the records read over the read time. */
  function curve(read) {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", "0 0 240 70");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", "Share of the records read over the read time");
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", ["0,70", ...[...read].map((digit, index) => `${(index + 1) * 10},${70 - parseInt(digit, 36) * 2}`)].join(" "));
    drawing.append(line);
    return read ? drawing : "";
  }

  function openTrial(number) {
    const row = all('table[data-name="trials"] tbody tr').find(row => row.cells[0].textContent.trim() === String(number));
    if (!row) return;
    const [, lengths = [], read = ""] = run.trials.find(([known]) => known === number) ?? [];
    const heads = [...row.closest("table").tHead.rows[0].cells].map(head => head.textContent.trim());
    const facts = heads.map((head, index) => [head, row.cells[index].textContent.trim()]).filter(([, text]) => text);
    dialog.replaceChildren(
      make("h2", { id: "trial-title" }, `Trial ${number}`),
      curve(read),
      make("dl", {}, ...[...facts.slice(1), ...run.phases.map((name, index) => [name, seconds(lengths[index] ?? 0)])].flatMap(([head, text]) => [make("dt", {}, head), make("dd", {}, text)])),
      make("form", { method: "dialog" }, make("button", { autofocus: true }, "Close")));
    hideTip();
    if (!dialog.open) dialog.showModal();
    view.trial = number;
    store();
  }

  // ---- putting it together

  restore();
  document.body.classList.add("js");
  document.body.append(tip, dialog);
  one("main").prepend(bar);
  marked.forEach(choosable);
  all("figure[data-chart]").forEach(tools);
  tables.forEach((table, index) => {
    const id = `${table.dataset.name}.${index}`;
    sortable(table, id);
    tableTools(table);
    applySort(table, id);
  });
  one("nav").before(make("div", { class: "tools" }, make("label", {}, "Filter all tables: ",
    make("input", { type: "search", value: view.filter, input: event => { view.filter = event.target.value; filter(); store(); } }))));
  const answer = () => all("p", one("#answer")).map(p => p.textContent).join("\n");
  (one(".glance .tools") ?? one("#answer")).prepend(make("button", { type: "button", click: event => copy(answer(), "text/plain", "answer.txt", event.target) }, "Copy the answer"));
  redraw();
  all("svg.chart").forEach(walkable);
  filter();
  highlight();
  if (view.trial !== null) openTrial(view.trial);
  all("details.section").forEach(details => details.addEventListener("toggle", () => {
    const id = one("div[id]", details).id;
    if (details.open !== view.open.includes(id)) toggle(view.open, id);
    store();
  }));
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape" || dialog.open) return;
    if (!tip.hidden) hideTip();
    else if (view.on !== null) choose(view.on);
  });
  addEventListener("hashchange", () => { if (location.hash.startsWith("#v=")) location.reload(); });
  performance.mark("ready");
})();
