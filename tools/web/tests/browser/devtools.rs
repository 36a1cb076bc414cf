//! A headless browser, spoken to by the DevTools protocol over a pair of pipes: no port, no library.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Names of the browser, the first that is there.
const BROWSERS: [&str; 3] = ["chromium-headless-shell", "chromium", "google-chrome"];
/// How long a page may take for what is waited for; this is no measure of speed.
const PATIENCE: Duration = Duration::from_secs(120);

/// What stands in an element that scrolls may be wider than the window; such an element is reached by
/// keyboard and has a name. A drawing's text is as large as the drawing makes it.
const UNREADABLE: &str = r"(() => {
  const parts = (colour) => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return { rgb: [r, g, b], a }; };
  const light = ({ rgb }) => {
    const [r, g, b] = rgb.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.a > 0.5) return found;
    }
    return parts('rgb(255, 255, 255)');
  };
  const contrast = (front, back) => { const [a, b] = [light(front), light(back)]; return Math.max(a, b) / Math.min(a, b); };
  const told = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join(' ');
    const text = (own || element.value || element.placeholder || '').toString().trim();
    if (!element.checkVisibility() || element.matches('script, title, desc, option, :disabled')) continue;
    const box = element.getBoundingClientRect();
    if (box.right > innerWidth + 0.5 && !element.parentElement.closest('.wide')) told.push(`wide: ${element.tagName} ${text}`);
    if (!text) continue;
    const drawn = element.closest('svg');
    const style = getComputedStyle(element, own || element.value || drawn ? null : '::placeholder');
    const front = parts(drawn ? style.fill : style.color);
    const seen = contrast(front, ground(element));
    if (front.a > 0.5 && seen < 4.5) told.push(`faint (${seen.toFixed(2)}): ${element.tagName} ${text}`);
    const scale = drawn ? drawn.getBoundingClientRect().width / drawn.viewBox.baseVal.width : 1;
    const size = scale * Number.parseFloat(style.fontSize);
    if (size < 11) told.push(`small (${size.toFixed(1)}): ${element.tagName} ${text}`);
  }
  for (const box of document.querySelectorAll('body *')) {
    const { overflowX, overflowY } = getComputedStyle(box);
    if (!/auto|scroll/.test(overflowX + overflowY) || box.matches('textarea, input, select')) continue;
    const reached = box.tabIndex === 0 && box.getAttribute('role') === 'region' && box.getAttribute('aria-label');
    if (!reached) told.push(`scrolled, and no region: ${box.tagName} ${box.id}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const option of texts.currentNode.data.matchAll(/--[a-z-]+/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, option.index);
      range.setEnd(texts.currentNode, option.index + option[0].length);
      if (new Set([...range.getClientRects()].map((box) => box.top)).size > 1) told.push(`broken: ${option[0]}`);
    }
  }
  for (const bar of document.querySelectorAll('svg rect[class]')) {
    const seen = contrast(parts(getComputedStyle(bar).fill), ground(bar));
    if (seen < 3) told.push(`faint (${seen.toFixed(2)}): a bar, ${bar.classList}`);
  }
  return told;
})()";

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    last: u64,
    /// What the page complained about: exceptions, refusals by its policy, failed loads.
    pub(crate) complaints: Vec<String>,
    /// Every address that the page has asked for.
    pub(crate) asked: Vec<String>,
}

impl Browser {
    /// Starts it with an empty page; its profile lies in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        let there = |name: &&&str| {
            Command::new(name)
                .arg("--version")
                .stdout(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        let name = BROWSERS.iter().find(there).expect("no Chromium: run `cargo xtask setup`");
        // The protocol's pipes are descriptors 3 and 4, which the shell makes of its own input and output.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>&1", "sh", name])
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", folder.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut browser =
            Self { child, to, from, session: None, last: 0, complaints: Vec::new(), asked: Vec::new() };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Calls a method of the protocol.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        self.to.flush().unwrap();
        loop {
            let mut answer = Vec::new();
            self.from.read_until(0, &mut answer).unwrap();
            assert_eq!(answer.pop(), Some(0), "the browser has ended");
            let mut answer: Value = serde_json::from_slice(&answer).unwrap();
            if answer["id"] == json!(self.last) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => self.complaints.push(params["exceptionDetails"].to_string()),
            "Log.entryAdded" => self.complaints.push(params["entry"]["text"].to_string()),
            "Network.requestWillBeSent" => {
                self.asked.push(params["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
            _ => {}
        }
    }

    /// Has every page run `script` before its own.
    pub(crate) fn before(&mut self, script: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// Opens the page at an address.
    pub(crate) fn open(&mut self, url: &str) {
        self.show(url);
        self.wait("document.body?.dataset.ready === 'true'");
    }

    /// Opens what is at an address, which need not run anything.
    pub(crate) fn show(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
        self.wait(&format!("location.href === '{url}' && document.readyState === 'complete'"));
    }

    /// What of the page cannot be read: texts and bars with less contrast than WCAG 2 asks for, what is wider
    /// than the window, text smaller than eleven pixels, options of commands that end a line at their
    /// hyphens, and what is scrolled but not reached by keyboard.
    pub(crate) fn unreadable(&mut self) -> Vec<String> {
        serde_json::from_value(self.value(UNREADABLE)).unwrap()
    }

    /// What an expression of JavaScript gives, as the DevTools see it: the page's policy does not bind them.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let ask = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", ask);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// The same as a text.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait(&mut self, expression: &str) {
        self.wait_while(expression, |_| std::thread::sleep(Duration::from_millis(50)));
    }

    /// The same, doing `meanwhile` again and again.
    pub(crate) fn wait_while(&mut self, expression: &str, mut meanwhile: impl FnMut(&mut Self)) {
        let start = Instant::now();
        while self.value(expression) != json!(true) {
            let complaints = &self.complaints;
            assert!(start.elapsed() < PATIENCE, "never true: {expression}; the page said {complaints:?}");
            meanwhile(self);
        }
    }

    /// Presses and releases a key that is no character.
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            " " => (32, " "),
            "End" => (35, ""),
            "Home" => (36, ""),
            "ArrowLeft" => (37, ""),
            "ArrowUp" => (38, ""),
            "ArrowRight" => (39, ""),
            "ArrowDown" => (40, ""),
            "Delete" => (46, ""),
            other => panic!("what is the code of {other}?"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Types characters.
    pub(crate) fn type_text(&mut self, text: &str) {
        for character in text.chars() {
            for kind in ["keyDown", "keyUp"] {
                let text = if kind == "keyDown" { character.to_string() } else { String::new() };
                let event = json!({ "type": kind, "key": character.to_string(), "text": text });
                self.call("Input.dispatchKeyEvent", event);
            }
        }
    }

    /// Presses the tab key until the element `id` has the focus.
    pub(crate) fn tab_to(&mut self, id: &str) {
        for _ in 0..60 {
            if self.text("document.activeElement.id") == id {
                return;
            }
            self.press("Tab");
        }
        panic!("the tab key does not reach {id}");
    }

    /// A window of this size, dark or light.
    pub(crate) fn look(&mut self, (width, height): (u32, u32), scheme: &str) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
    }

    /// Writes a picture of the whole page.
    pub(crate) fn picture(&mut self, path: &Path) {
        let picture = self.call("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        std::fs::write(path, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session = None;
        let bytes = b"{\"id\":0,\"method\":\"Browser.close\"}\0";
        let _ = self.to.write_all(bytes).and_then(|()| self.to.flush());
        std::thread::sleep(Duration::from_millis(200));
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
