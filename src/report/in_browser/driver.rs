//! A Chromium without a window, spoken to in its `DevTools` protocol: JSON messages over two pipes, each ended by a zero
//! byte (`--remote-debugging-pipe`).

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Chromium reads file descriptor 3 and writes to 4; here they are its standard input and output.
const START: &str = "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

const OPTIONS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
];

/// How long Chromium may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A browser that ends with its value.
pub(super) struct Browser {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Number of the last call.
    calls: u64,
    /// What happened since the page was opened.
    events: Vec<Value>,
    session: Value,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium with one empty page.
    pub(super) fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new("sh")
            .args(["-c", START, "sh"])
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut browser = Browser {
            input: process.stdin.take().unwrap(),
            output: BufReader::new(process.stdout.take().unwrap()),
            process,
            calls: 0,
            events: Vec::new(),
            session: Value::Null,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        browser.session = browser.call("Target.attachToTarget", &attach)["sessionId"].take();
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        browser
    }

    /// Opens a page in a window of this size, and waits until it has been loaded.
    pub(super) fn open(&mut self, page: &Path, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let page = fs::canonicalize(page).unwrap();
        self.load("Page.navigate", &json!({"url": format!("file://{}", page.display())}));
    }

    /// Loads the page again.
    pub(super) fn reload(&mut self) {
        self.load("Page.reload", &json!({}));
    }

    fn load(&mut self, method: &str, parameters: &Value) {
        self.events.clear();
        self.call(method, parameters);
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.receive();
            self.events.push(event);
        }
    }

    /// Makes the window as wide as that, and the page `light` or `dark`.
    pub(super) fn show(&mut self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Whether pages may run scripts; it holds for those that are opened next.
    pub(super) fn allow_scripts(&mut self, allowed: bool) {
        self.call("Emulation.setScriptExecutionDisabled", &json!({"value": !allowed}));
    }

    /// The value of an expression in the page.
    pub(super) fn value(&mut self, expression: &str) -> Value {
        let question = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", &question);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}");
        answer["result"]["value"].take()
    }

    /// Moves the mouse to the middle of the first element that the expression finds; a scroll brings it into view.
    pub(super) fn point_at(&mut self, element: &str) -> (f64, f64) {
        let middle = format!(
            "(() => {{ const found = {element}; found.scrollIntoView({{ block: 'center', behavior: 'instant' }});
               const box = found.getBoundingClientRect(); return [box.left + box.width / 2, box.top + box.height / 2]; }})()"
        );
        let middle = self.value(&middle);
        let (x, y) = (middle[0].as_f64().unwrap(), middle[1].as_f64().unwrap());
        self.mouse("mouseMoved", (x, y), 0);
        (x, y)
    }

    /// Clicks on the middle of an element.
    pub(super) fn click(&mut self, element: &str) {
        let middle = self.point_at(element);
        self.mouse("mousePressed", middle, 1);
        self.mouse("mouseReleased", middle, 1);
    }

    /// Drags from one point of the window to another, by way of the middle.
    pub(super) fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.mouse("mouseMoved", from, 0);
        self.mouse("mousePressed", from, 1);
        self.mouse(
            "mouseMoved",
            (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1)),
            1,
        );
        self.mouse("mouseMoved", to, 1);
        self.mouse("mouseReleased", to, 1);
    }

    /// A double click at a point of the window.
    pub(super) fn double_click(&mut self, at: (f64, f64)) {
        for clicks in [1, 2] {
            self.mouse("mousePressed", at, clicks);
            self.mouse("mouseReleased", at, clicks);
        }
    }

    /// `pressed`: of a movement whether the button is held, else how many clicks this is.
    fn mouse(&mut self, what: &str, (x, y): (f64, f64), pressed: u32) {
        let is_held = pressed > 0 && what != "mouseReleased";
        let event = json!({"type": what, "x": x, "y": y, "button": if pressed > 0 { "left" } else { "none" },
                           "buttons": u32::from(is_held), "clickCount": pressed});
        self.call("Input.dispatchMouseEvent", &event);
    }

    /// Presses and releases a key with the focus where it is.
    pub(super) fn press(&mut self, key: &str) {
        let (code, number, text) = match key {
            "Enter" => ("Enter", 13, "\r"),
            " " => ("Space", 32, " "),
            "Tab" => ("Tab", 9, ""),
            "Escape" => ("Escape", 27, ""),
            "ArrowRight" => ("ArrowRight", 39, ""),
            other => panic!("no test has needed the key {other:?} yet"),
        };
        let down = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        for what in [down, "keyUp"] {
            let text = if what == "keyDown" { text } else { "" };
            let event = json!({"type": what, "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text});
            self.call("Input.dispatchKeyEvent", &event);
        }
    }

    /// Types a text where the focus is.
    pub(super) fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// What the page asked for besides itself, and the errors of its script, since it was opened.
    pub(super) fn complaints(&self) -> Vec<String> {
        let complaint = |event: &Value| {
            let parameters = &event["params"];
            match event["method"].as_str()? {
                "Network.requestWillBeSent" if parameters["type"] != "Document" => {
                    Some(format!("requested {}", parameters["request"]["url"]))
                }
                "Runtime.exceptionThrown" => Some(format!("threw {}", parameters["exceptionDetails"])),
                "Log.entryAdded" => Some(format!("logged {}", parameters["entry"]["text"])),
                _ => None,
            }
        };
        self.events.iter().filter_map(complaint).collect()
    }

    /// Calls a method of the protocol, and waits for its answer.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": parameters});
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        let mut line = message.to_string().into_bytes();
        line.push(0);
        self.input.write_all(&line).unwrap();
        loop {
            let mut message = self.receive();
            if message["id"] == self.calls {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    fn receive(&mut self) -> Value {
        let mut message = Vec::new();
        self.output.read_until(0, &mut message).unwrap();
        assert_eq!(
            message.pop(),
            Some(0),
            "chromium ended; install it, if it is missing: reports are looked at in it"
        );
        serde_json::from_slice(&message).unwrap()
    }
}

impl Drop for Browser {
    /// Chromium removes nothing of its own if it is killed, so it is asked to end.
    fn drop(&mut self) {
        let _ = self.input.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE && matches!(self.process.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
