//! One real app window, as a story sees it: pages, buttons, and what the pixels of its pictures say.

use crate::webdriver::{Driver, DriverError};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a page may take on a loaded machine with two cores before a story fails.
pub const PATIENCE: Duration = Duration::from_secs(40);
const PRESS: &str = "const at = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); \
                     if (!at || at.disabled) return null; at.click(); return true;";

pub struct AppWindow {
    pub driver: Driver,
    pub name: String,
}

/// What one app is started with.
pub struct Start<'a> {
    pub binary: &'a Path,
    /// Name of the profile, and of the identity that the rehearsal browser signs in.
    pub name: &'a str,
    pub profile_folder: &'a Path,
    pub server: &'a str,
    pub camera: &'a str,
    pub display: &'a str,
    /// The `visavis-bot` binary.
    pub browser: &'a Path,
    pub position: (u32, u32),
    pub size: (u32, u32),
}

impl AppWindow {
    pub async fn open(start: Start<'_>) -> Result<Self, DriverError> {
        let arguments = [
            ("--profile", start.name.to_owned()),
            ("--profile-dir", start.profile_folder.display().to_string()),
            ("--server", start.server.to_owned()),
            ("--camera", start.camera.to_owned()),
            ("--window-position", format!("{},{}", start.position.0, start.position.1)),
            ("--window-size", format!("{}x{}", start.size.0, start.size.1)),
        ];
        let mut arguments: Vec<String> = arguments.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect();
        arguments.push(String::from("--no-keyring"));
        let environment = [
            ("DISPLAY", start.display.to_owned()),
            // Under Xvfb nothing is painted through DMA buffers.
            ("WEBKIT_DISABLE_DMABUF_RENDERER", String::from("1")),
            ("GDK_BACKEND", String::from("x11")),
            ("NO_AT_BRIDGE", String::from("1")),
            ("LANG", String::from("C.UTF-8")),
            ("VISAVIS_BROWSER", format!("{} browser --identity {}", start.browser.display(), start.name)),
        ];
        let environment: Vec<(String, String)> = environment.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let driver = Driver::start(start.binary, &arguments, &environment).await?;
        Ok(Self { driver, name: start.name.to_owned() })
    }

    /// Waits until the page of that name is shown.
    pub async fn page(&self, page: &str) -> Result<(), DriverError> {
        let what = format!("page {page} in window {}", self.name);
        let body = "const at = document.querySelector('[data-page]'); \
                    if (!at) return null; \
                    if (at.dataset.page === arguments[0]) return true; \
                    const notice = document.querySelector('[data-testid=notice]'); \
                    window.__last = at.dataset.page + (notice ? ': ' + notice.innerText : ''); return null;";
        match self.driver.until(&what, PATIENCE, body, json!([page])).await {
            Err(DriverError::TimedOut { what, waited, .. }) => {
                let last = self.driver.script("return String(window.__last)", json!([])).await.unwrap_or_default();
                Err(DriverError::TimedOut { what, waited, last: last.to_string() })
            }
            other => other.map(drop),
        }
    }

    /// Waits for a button that can be pressed, and presses it.
    pub async fn press(&self, testid: &str) -> Result<(), DriverError> {
        self.driver.until(&format!("button {testid} in window {}", self.name), PATIENCE, PRESS, json!([testid])).await.map(drop)
    }

    /// Whether the button was there to be pressed: what goes on may have taken it away.
    pub async fn press_if_there(&self, testid: &str) -> Result<bool, DriverError> {
        Ok(self.driver.script(PRESS, json!([testid])).await?.as_bool() == Some(true))
    }

    /// Puts the text into a field, key by key, as the keyboard does.
    pub async fn fill(&self, testid: &str, text: &str) -> Result<(), DriverError> {
        let body = "const at = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); \
                    if (!at || at.disabled) return null; at.focus(); return document.activeElement === at;";
        let what = format!("field {testid} in window {}", self.name);
        self.driver.until(&what, PATIENCE, body, json!([testid])).await?;
        self.driver.keys(text).await?;
        let whole =
            "const at = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); return at && at.value === arguments[1];";
        self.driver.until(&what, PATIENCE, whole, json!([testid, text])).await.map(drop)
    }

    /// Waits for an element and gives its text.
    pub async fn text(&self, testid: &str) -> Result<String, DriverError> {
        let body =
            "const at = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); return at ? at.innerText || ' ' : null;";
        let value = self.driver.until(&format!("{testid} in window {}", self.name), PATIENCE, body, json!([testid])).await?;
        Ok(value.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the text of an element contains `part`.
    pub async fn says(&self, testid: &str, part: &str) -> Result<(), DriverError> {
        let body = "const at = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); \
                    return at && at.innerText.toLowerCase().includes(arguments[1].toLowerCase());";
        let what = format!("{testid} of window {} to say \"{part}\"", self.name);
        self.driver.until(&what, PATIENCE, body, json!([testid, part])).await.map(drop)
    }

    pub async fn is_there(&self, testid: &str) -> Result<bool, DriverError> {
        let body = "return !!document.querySelector(`[data-testid=\"${arguments[0]}\"]`);";
        Ok(self.driver.script(body, json!([testid])).await?.as_bool().unwrap_or_default())
    }

    /// Sends a command to the shell as the page would.
    pub async fn act(&self, command: Value) -> Result<(), DriverError> {
        let body = "await window.__TAURI_INTERNALS__.invoke('act', { command: arguments[0] }); return true;";
        match self.driver.script_async(body, json!([command])).await? {
            Value::Bool(true) => Ok(()),
            other => Err(DriverError::Refused { command: String::from("act"), message: other.to_string() }),
        }
    }

    /// What the canvas of that picture shows now: frame number, and whether it is a mosaic.
    pub async fn picture(&self, testid: &str) -> Result<Option<Picture>, DriverError> {
        let value = self.driver.script(READ_PICTURE, json!([testid])).await?;
        Ok(serde_json::from_value(value).ok())
    }

    /// Waits until the picture shows two different frame numbers: a frozen or empty picture never does.
    pub async fn moves(&self, testid: &str) -> Result<(), DriverError> {
        let what = format!("moving frames with readable numbers in {testid} of window {}", self.name);
        let body = format!(
            "const now = (function () {{ {READ_PICTURE} }}).apply(null, arguments); \
             const key = '__number_' + arguments[0]; if (!now || now.number < 0) return null; \
             if (window[key] === undefined) {{ window[key] = now.number; return null; }} \
             if (window[key] === now.number) return null; delete window[key]; return now;"
        );
        self.driver.until(&what, PATIENCE, &body, json!([testid])).await.map(drop)
    }

    /// Waits until the picture is (or is not) a mosaic, judged by its pixels alone.
    pub async fn is_mosaic(&self, testid: &str, mosaic: bool) -> Result<(), DriverError> {
        let what = format!("{testid} of window {} to be {}", self.name, if mosaic { "a mosaic" } else { "clear" });
        let body = format!(
            "const now = (function () {{ {READ_PICTURE} }}).apply(null, [arguments[0]]); return now && now.mosaic === arguments[1] ? now : null;"
        );
        self.driver.until(&what, PATIENCE, &body, json!([testid, mosaic])).await.map(drop)
    }

    /// Looks again and again for that long, and fails at the first look at which the picture is no mosaic.
    pub async fn stays_mosaic(&self, testid: &str, during: Duration) -> Result<(), DriverError> {
        let begun = Instant::now();
        while begun.elapsed() < during {
            match self.picture(testid).await? {
                Some(picture) if picture.mosaic => tokio::time::sleep(Duration::from_millis(50)).await,
                other => {
                    let what = format!("{testid} of window {} to stay a mosaic", self.name);
                    return Err(DriverError::TimedOut { what, waited: begun.elapsed(), last: format!("{other:?}") });
                }
            }
        }
        Ok(())
    }

    /// Waits until what this window shows of the other is by far nearer to what the other's window shows of itself than to
    /// what this window shows of itself. The two cameras have to differ; the pictures may be veiled or clear.
    pub async fn shows(&self, other: &Self) -> Result<(), DriverError> {
        let begun = Instant::now();
        loop {
            let colours =
                (self.colours("picture-peer").await?, other.colours("picture-own").await?, self.colours("picture-own").await?);
            let distances = (distance(&colours.0, &colours.1), distance(&colours.0, &colours.2));
            if let (Some(theirs), Some(own)) = distances
                && theirs * 2.0 < own
            {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let what = format!("picture-peer of window {} to be the camera of {}", self.name, other.name);
                let last = format!("distances to the other's and to one's own picture: {distances:?}");
                return Err(DriverError::TimedOut { what, waited: begun.elapsed(), last });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Mean red, green and blue of each block of a 16 x 8 grid under the frame number; empty while nothing is painted.
    async fn colours(&self, testid: &str) -> Result<Vec<f64>, DriverError> {
        let value = self.driver.script(READ_COLOURS, json!([testid])).await?;
        Ok(serde_json::from_value(value).unwrap_or_default())
    }
}

/// Mean difference of two lists of colours; `None` where they cannot be compared.
fn distance(one: &[f64], other: &[f64]) -> Option<f64> {
    let sum: f64 = one.iter().zip(other).map(|(one, other)| (one - other).abs()).sum();
    (!one.is_empty() && one.len() == other.len()).then(|| sum / one.len() as f64)
}

#[derive(Debug, serde::Deserialize)]
pub struct Picture {
    /// -1: not readable.
    pub number: i32,
    pub mosaic: bool,
    /// Mean luma difference between neighbouring pixels inside the blocks of a 32 x 18 grid.
    pub detail: f64,
    pub width: u32,
    pub height: u32,
}

/// Reads a canvas: the burnt-in frame number (strip of height/18 at the top, 16 cells, Gray code with a check nibble; see
/// `visavis_media::marker`), and whether every block of a 32 x 18 grid is flat inside.
const READ_PICTURE: &str = r#"
const canvas = document.querySelector(`[data-testid="${arguments[0]}"]`);
if (!canvas || !canvas.width || !canvas.height) return null;
const width = canvas.width, height = canvas.height;
const pixels = canvas.getContext('2d', { willReadFrequently: true })?.getImageData(0, 0, width, height)?.data;
if (!pixels) return null;
const luma = (x, y) => { const at = 4 * (y * width + x); return 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2]; };
const stripe = height / 18, cell = width / 16, means = [];
for (let i = 0; i < 16; i++) {
  let sum = 0, count = 0;
  for (let y = Math.floor(stripe / 4); y < Math.max(stripe * 3 / 4, Math.floor(stripe / 4) + 1); y++)
    for (let x = Math.floor(cell * i + cell / 4); x < cell * i + cell * 3 / 4; x++) { sum += luma(x, y); count++; }
  means.push(sum / count);
}
let number = -1;
const white = means[0], black = means[1], middle = (white + black) / 2;
if (white - black >= 60 && !means.some(mean => Math.abs(mean - middle) < (white - black) * 0.1)) {
  const bits = means.map(mean => mean > middle ? 1 : 0);
  let g = 0, check = 0;
  for (let i = 2; i < 12; i++) g = g << 1 | bits[i];
  for (let i = 12; i < 16; i++) check = check << 1 | bits[i];
  if (check === ((g ^ g >> 4 ^ g >> 8 ^ 5) & 15)) { number = g; for (const shift of [1, 2, 4, 8]) number ^= number >> shift; }
}
let sum = 0, count = 0;
for (let row = 2; row < 18; row++) for (let column = 0; column < 32; column++) {
  const x0 = Math.ceil(width * column / 32) + 3, x1 = Math.floor(width * (column + 1) / 32) - 3;
  const y0 = Math.ceil(height * row / 18) + 3, y1 = Math.floor(height * (row + 1) / 18) - 3;
  for (let y = y0; y < y1; y++) for (let x = x0; x < x1 - 1; x++) { sum += Math.abs(luma(x, y) - luma(x + 1, y)); count++; }
}
const detail = count ? sum / count : 0;
return { number, mosaic: detail < 0.5, detail, width, height };
"#;

const READ_COLOURS: &str = r#"
const canvas = document.querySelector(`[data-testid="${arguments[0]}"]`);
if (!canvas || !canvas.width || !canvas.height) return null;
const { width, height } = canvas;
const pixels = canvas.getContext('2d', { willReadFrequently: true })?.getImageData(0, 0, width, height)?.data;
if (!pixels) return null;
const sums = new Array(16 * 8 * 3).fill(0), counts = new Array(16 * 8).fill(0);
const top = Math.ceil(height / 9);
for (let y = top; y < height; y += 2) for (let x = 0; x < width; x += 2) {
  const at = 4 * (y * width + x);
  if (!pixels[at + 3]) return null;
  const block = Math.floor((y - top) * 8 / (height - top)) * 16 + Math.floor(x * 16 / width);
  counts[block]++;
  for (let colour = 0; colour < 3; colour++) sums[3 * block + colour] += pixels[at + colour];
}
return counts.includes(0) ? null : sums.map((sum, at) => sum / counts[Math.floor(at / 3)]);
"#;
