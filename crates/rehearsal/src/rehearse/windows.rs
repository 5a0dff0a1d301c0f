//! A person with a real window of the app: buttons are pressed as the plan says, and what is reported is what the page shows and what
//! the pixels of its pictures say.

use super::evening::Failure;
use crate::bot::{Manner, PAGES, Report};
use crate::processes;
use crate::window::{AppWindow, Picture, Start};
use serde::Deserialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use visavis_wire::channel::{Seen, Shows};

/// Between two looks at the page.
const LOOK: Duration = Duration::from_millis(300);
const PRESS_AGAIN: Duration = Duration::from_secs(5);
/// Of one window, and how many stand side by side.
pub const SIZE: (u32, u32) = (1280, 800);
const ACROSS: u32 = 2;
const BETWEEN: u32 = 24;

/// What the windows of an evening share.
#[derive(Clone, Debug)]
pub struct Room {
    /// The `visavis` binary.
    pub app: PathBuf,
    pub display: String,
    pub server: String,
    pub folder: PathBuf,
}

/// Large enough for so many windows.
pub fn screen(windows: usize) -> (u32, u32) {
    let rows = (windows as u32).div_ceil(ACROSS).max(1);
    (ACROSS * (SIZE.0 + BETWEEN), rows * (SIZE.1 + BETWEEN))
}

/// The app that was built together with this program.
pub fn app() -> Result<PathBuf, Failure> {
    processes::beside("visavis").ok_or_else(|| "the plan has windows, and the app is not built".into())
}

#[derive(Debug, Default, Deserialize)]
struct Page {
    page: Option<String>,
    notice: Option<String>,
    /// The four numbers that both sides compare.
    proof: Option<String>,
    you_see: Option<String>,
    they_see: Option<String>,
    warned: bool,
    told: bool,
    can_reveal: bool,
}

const READ: &str = r#"
const find = id => document.querySelector(`[data-testid="${id}"]`);
const text = id => find(id)?.innerText?.toLowerCase() ?? null;
const reveal = find('reveal');
return {
  page: document.querySelector('[data-page]')?.dataset.page ?? null,
  notice: text('notice'),
  proof: find('proof')?.dataset.pictures ?? null,
  you_see: text('you-see'), they_see: text('they-see'),
  warned: !!find('warning-peer'), told: !!find('warning-own'),
  can_reveal: !!reveal && !reveal.disabled,
};
"#;

struct Person {
    window: AppWindow,
    manner: Manner,
    reports: UnboundedSender<Report>,
    page: &'static str,
    since: Instant,
    /// What leads on from this page.
    pressed: bool,
    proof: Option<String>,
    sight: Option<(bool, bool, bool, bool)>,
    detailed: Option<bool>,
    notice: Option<String>,
    modifier: String,
    meetings: u32,
}

/// Opens the window numbered `place` and attends it. Ends with the meetings that the manner names, or when the window does.
pub async fn attend(
    room: Room,
    place: usize,
    camera: &str,
    manner: Manner,
    reports: UnboundedSender<Report>,
    opened: impl FnOnce(u32),
) -> Result<(), Failure> {
    let (column, row) = (place as u32 % ACROSS, place as u32 / ACROSS);
    let browser = processes::beside("visavis-bot").ok_or("visavis-bot is not built")?;
    let folder: &Path = &room.folder.join(&manner.identity);
    let window = AppWindow::open(Start {
        binary: &room.app,
        name: &manner.identity,
        profile_folder: folder,
        server: &room.server,
        camera,
        display: &room.display,
        browser: &browser,
        position: (column * (SIZE.0 + BETWEEN), row * (SIZE.1 + BETWEEN)),
        size: SIZE,
    })
    .await?;
    opened(window.driver.process_id());
    let mut person = Person {
        window,
        manner,
        reports,
        page: "",
        since: Instant::now(),
        pressed: false,
        proof: None,
        sight: None,
        detailed: None,
        notice: None,
        modifier: String::from("none"),
        meetings: 0,
    };
    let outcome = person.live().await;
    person.say(Report::Ended { meetings: person.meetings });
    person.window.driver.quit().await;
    outcome
}

impl Person {
    fn say(&self, report: Report) {
        // Nobody reads any more: the evening is over.
        let _ = self.reports.send(report);
    }

    async fn live(&mut self) -> Result<(), Failure> {
        while !self.reports.is_closed() {
            let page: Page = serde_json::from_value(self.window.driver.script(READ, json!([])).await?)?;
            self.look(&page).await?;
            let enough = self.manner.meetings.is_some_and(|wanted| self.meetings >= wanted);
            if enough && !["call", "parting"].contains(&self.page) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    async fn act(&self, command: serde_json::Value) -> Result<(), Failure> {
        Ok(self.window.act(command).await?)
    }

    async fn look(&mut self, page: &Page) -> Result<(), Failure> {
        if page.notice.is_some() && page.notice != self.notice {
            self.say(Report::Notice { notice: json!({ "words": page.notice }) });
        }
        self.notice.clone_from(&page.notice);
        let Some(name) = PAGES.into_iter().find(|name| page.page.as_deref() == Some(name)) else { return Ok(()) };
        let entered = name != self.page;
        if entered {
            (self.page, self.since, self.pressed) = (name, Instant::now(), false);
            self.say(Report::Page { page: name });
        }
        // It led nowhere: the server was away.
        let again = self.since.elapsed() > PRESS_AGAIN;
        if again && ["welcome", "mirror"].contains(&name) {
            (self.since, self.pressed) = (Instant::now(), false);
        }
        match name {
            "welcome" if !self.pressed => self.pressed = self.window.press_if_there("sign-in").await?,
            "mirror" if !self.pressed => self.pressed = self.window.press_if_there("meet").await?,
            "match" if self.manner.meet && !self.pressed => self.pressed = self.window.press_if_there("match-meet").await?,
            "match" if entered => self.act(json!({ "do": "answer_match", "meet": false })).await?,
            "call" => self.call(page, entered).await?,
            "parting" if entered => self.act(json!({ "do": "answer_follow", "yes": self.manner.follow })).await?,
            // Whether both said yes shows within moments, or not at all.
            "parting" if self.since.elapsed() > Duration::from_secs(8) => self.act(json!({ "do": "done" })).await?,
            "friends" | "history" | "profile" if entered => self.act(json!({ "do": "open_mirror" })).await?,
            _ => {}
        }
        Ok(())
    }

    async fn call(&mut self, page: &Page, entered: bool) -> Result<(), Failure> {
        if entered {
            self.meetings += 1;
            (self.proof, self.sight, self.detailed) = (None, None, None);
        }
        if page.proof.is_some() && page.proof != self.proof {
            self.proof.clone_from(&page.proof);
            let numbers: Vec<u8> =
                page.proof.iter().flat_map(|text| text.split(' ')).filter_map(|word| word.parse().ok()).collect();
            if let Ok(pictures) = <[u8; 4]>::try_from(numbers) {
                self.say(Report::Fingerprint { pictures });
            }
        }
        let clear = |text: &Option<String>| text.as_deref().is_some_and(|text| text.contains("clear"));
        let sight = (clear(&page.you_see), clear(&page.they_see), page.warned, page.told);
        if self.sight.replace(sight) != Some(sight) {
            let shows = |clear| if clear { Shows::Clear } else { Shows::Veiled };
            // The page names what it could be; that it is something is what counts here.
            let looks = |warned| if warned { Seen::Covered } else { Seen::Clear };
            self.say(Report::Sight {
                you_see: shows(sight.0),
                they_see: shows(sight.1),
                peer_looks: looks(sight.2),
                own_looks_to_peer: looks(sight.3),
                revealed: sight.0 || sight.1,
            });
        }
        if let Some(Picture { mosaic, .. }) = self.window.picture("picture-peer").await?
            && self.detailed.replace(!mosaic) != Some(!mosaic)
        {
            self.say(Report::Look { detailed: !mosaic });
        }
        if self.manner.reveal && page.can_reveal && !sight.0 && !sight.1 {
            self.window.press_if_there("reveal").await?;
        }
        let elapsed = self.since.elapsed();
        let does = self.manner.camera.iter().find(|does| (does.from_s..does.to_s).contains(&elapsed.as_secs_f32()));
        let modifier = does.map_or("none", |does| does.is.as_str()).to_owned();
        if modifier != self.modifier {
            self.modifier.clone_from(&modifier);
            self.act(json!({ "do": "rehearse_camera", "modifier": modifier })).await?;
        }
        if self.manner.leave_after.is_some_and(|after| elapsed > after) {
            self.window.press_if_there("leave").await?;
        }
        Ok(())
    }
}
