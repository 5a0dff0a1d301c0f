//! When one may come: opening hours of one's region, the share of accounts that is admitted, sessions in a day. Pure: the time is an
//! argument. Who asks, and who is turned away, is the business of `socket`.
//!
//! A region is known by the time zone that the issuer gives (`zoneinfo`), so that no app can say that it is elsewhere; whoever has
//! none, or one that no region covers, belongs to the first region.

use crate::store::AccountId;
use hmac::{Hmac, Mac};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::Deserialize;
use sha2::Sha256;
use visavis_wire::socket::Closed;

/// Looked ahead for an opening; the longest rhythm is a week.
const DAYS_AHEAD: i64 = 8;

/// As the configuration file has it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DoorsSection {
    /// 0 to 100.
    pub admitted_percent: f64,
    /// 0: as many as one likes.
    pub sessions_per_day: u32,
    pub regions: Vec<RegionSection>,
}

impl Default for DoorsSection {
    fn default() -> Self {
        Self { admitted_percent: 100.0, sessions_per_day: 0, regions: Vec::new() }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionSection {
    /// IANA name; the hours are in its local time.
    pub zone: String,
    /// Beginnings of the names of zones that belong to it (`Europe/`), beside its own.
    #[serde(default)]
    pub covers: Vec<String>,
    /// `18:00-23:30`, `fri 18:00-02:00`, `sat,sun 14:00-24:00`; a window that ends before it begins ends the next day.
    pub open: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DoorsError {
    #[error("admitted_percent is a number from 0 to 100")]
    Percent,
    #[error("there is no time zone {0}; write it as in Europe/Lisbon")]
    Zone(String),
    #[error("{0} are no opening hours; write them as in \"18:00-23:30\" or \"fri,sat 18:00-02:00\"")]
    Window(String),
}

#[derive(Clone, Debug)]
struct Region {
    zone: TimeZone,
    name: String,
    covers: Vec<String>,
    open: Vec<Window>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Window {
    /// Monday first.
    days: [bool; 7],
    /// Minutes after midnight, the end up to two days.
    from: u16,
    to: u16,
}

#[derive(Clone, Debug)]
pub struct Doors {
    /// Of 2^64.
    admitted: u128,
    sessions_per_day: Option<u32>,
    regions: Vec<Region>,
}

/// Somebody who stands before the door.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// Of [`place`].
    pub place: u64,
    pub zone: Option<&'a str>,
    pub sessions_today: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shut {
    pub because: Closed,
    pub opens_in_s: Option<u32>,
}

/// Where an account stands in the order of admission; it never moves, so nobody who is admitted is put out by a larger share.
pub fn place(secret: &[u8; 32], account: AccountId) -> u64 {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(b"visavis admission 1");
    mac.update(account.0.as_bytes());
    let bytes: [u8; 32] = mac.finalize().into_bytes().into();
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl Default for Doors {
    /// Always open to all.
    fn default() -> Self {
        Self { admitted: 1 << 64, sessions_per_day: None, regions: Vec::new() }
    }
}

impl TryFrom<&DoorsSection> for Doors {
    type Error = DoorsError;

    fn try_from(section: &DoorsSection) -> Result<Self, DoorsError> {
        if !(0.0..=100.0).contains(&section.admitted_percent) {
            return Err(DoorsError::Percent);
        }
        let regions = section.regions.iter().map(Region::read).collect::<Result<_, _>>()?;
        Ok(Self {
            admitted: (section.admitted_percent / 100.0 * 2_f64.powi(64)) as u128,
            sessions_per_day: (section.sessions_per_day > 0).then_some(section.sessions_per_day),
            regions,
        })
    }
}

impl Region {
    fn read(section: &RegionSection) -> Result<Self, DoorsError> {
        let zone = TimeZone::get(&section.zone).map_err(|_| DoorsError::Zone(section.zone.clone()))?;
        let open = section.open.iter().map(|text| window(text).ok_or_else(|| DoorsError::Window(text.clone())));
        Ok(Self { zone, name: section.zone.clone(), covers: section.covers.clone(), open: open.collect::<Result<_, _>>()? })
    }

    /// All openings around now, as instants. In an hour that the clocks leave out or repeat, the later or the first one counts.
    fn openings(&self, today: Date) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        (-2..DAYS_AHEAD).flat_map(move |ahead| {
            let day = today.checked_add(ahead.days()).ok();
            self.open.iter().filter_map(move |window| {
                let day = day.filter(|day| window.days[usize::from(day.weekday().to_monday_zero_offset().unsigned_abs())])?;
                Some((self.instant(day, window.from)?, self.instant(day, window.to)?))
            })
        })
    }

    fn instant(&self, day: Date, minutes: u16) -> Option<Timestamp> {
        let day = day.checked_add(i64::from(minutes / 1440).days()).ok()?;
        let time = Time::new(i8::try_from(minutes % 1440 / 60).ok()?, i8::try_from(minutes % 60).ok()?, 0, 0).ok()?;
        Some(self.zone.to_zoned(day.to_datetime(time)).ok()?.timestamp())
    }
}

impl Doors {
    fn region(&self, zone: Option<&str>) -> Option<&Region> {
        let belongs = |region: &&Region| {
            zone.is_some_and(|zone| zone == region.name || region.covers.iter().any(|start| zone.starts_with(start.as_str())))
        };
        self.regions.iter().find(belongs).or_else(|| self.regions.first())
    }

    fn local(&self, zone: Option<&str>, now: Timestamp) -> Zoned {
        let here = self.region(zone).map_or(TimeZone::UTC, |region| region.zone.clone());
        now.to_zoned(here)
    }

    /// Whether sessions have to be counted at all.
    pub fn counts_sessions(&self) -> bool {
        self.sessions_per_day.is_some()
    }

    /// When the day of sessions began, for whoever is of this zone; Unix seconds.
    pub fn day_began(&self, zone: Option<&str>, now: i64) -> i64 {
        let Ok(now) = Timestamp::from_second(now) else { return now };
        self.local(zone, now).start_of_day().map_or(now, |start| start.timestamp()).as_second()
    }

    /// `None`: come in.
    pub fn shut(&self, visitor: Visitor<'_>, now: i64) -> Option<Shut> {
        if u128::from(visitor.place) >= self.admitted {
            return Some(Shut { because: Closed::Admission, opens_in_s: None });
        }
        let at = Timestamp::from_second(now).ok()?;
        let until = |then: Option<Timestamp>| then.and_then(|then| u32::try_from(then.as_second() - now).ok());
        let next = self.region(visitor.zone).and_then(|region| {
            let today = at.to_zoned(region.zone.clone()).date();
            let open = region.openings(today).any(|(from, to)| from <= at && at < to);
            (!open).then(|| region.openings(today).map(|(from, _)| from).filter(|from| *from > at).min())
        });
        if let Some(next) = next {
            return Some(Shut { because: Closed::Hours, opens_in_s: until(next) });
        }
        if self.sessions_per_day.is_some_and(|most| visitor.sessions_today >= most) {
            let tomorrow = self.local(visitor.zone, at).tomorrow().and_then(|tomorrow| tomorrow.start_of_day()).ok();
            let tomorrow = tomorrow.map(|start| start.timestamp());
            // It may be closed at midnight.
            let opens = tomorrow.and_then(|tomorrow| {
                let Some(region) = self.region(visitor.zone) else { return Some(tomorrow) };
                let today = at.to_zoned(region.zone.clone()).date();
                region.openings(today).filter(|(_, to)| *to > tomorrow).map(|(from, _)| from.max(tomorrow)).min()
            });
            return Some(Shut { because: Closed::Sessions, opens_in_s: until(opens) });
        }
        None
    }
}

fn window(text: &str) -> Option<Window> {
    let text = text.trim();
    let (days, hours) = match text.split_once(' ') {
        Some((days, hours)) => (days_of(days)?, hours.trim()),
        None => ([true; 7], text),
    };
    let (from, to) = hours.split_once('-')?;
    let (from, to) = (minutes(from)?, minutes(to)?);
    if from == 1440 || from == to {
        return None;
    }
    Some(Window { days, from, to: if to < from { to + 1440 } else { to } })
}

fn days_of(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for name in text.split(',') {
        let day = match name.trim().to_ascii_lowercase().as_str() {
            "mon" => Weekday::Monday,
            "tue" => Weekday::Tuesday,
            "wed" => Weekday::Wednesday,
            "thu" => Weekday::Thursday,
            "fri" => Weekday::Friday,
            "sat" => Weekday::Saturday,
            "sun" => Weekday::Sunday,
            _ => return None,
        };
        days[usize::from(day.to_monday_zero_offset().unsigned_abs())] = true;
    }
    Some(days)
}

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && (hours < 24 || (hours, minutes) == (24, 0))).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests;
