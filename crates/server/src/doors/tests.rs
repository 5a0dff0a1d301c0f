use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn doors(toml: &str) -> Doors {
    Doors::try_from(&toml::from_str::<DoorsSection>(toml).unwrap()).unwrap()
}

fn at(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

fn visitor(zone: Option<&str>) -> Visitor<'_> {
    Visitor { place: 0, zone, sessions_today: 0 }
}

fn opens_in(doors: &Doors, zone: Option<&str>, now: &str) -> Option<u32> {
    let shut = doors.shut(visitor(zone), at(now))?;
    assert_eq!(shut.because, Closed::Hours);
    shut.opens_in_s
}

const TWO: &str = r#"
regions = [
    { zone = "Europe/Lisbon", covers = ["Europe/"], open = ["18:00-23:00"] },
    { zone = "Asia/Shanghai", covers = ["Asia/"], open = ["fri,sat 20:00-01:30"] },
]"#;

#[test]
fn without_a_word_all_may_always_come() {
    let doors = doors("");
    assert_eq!(doors.shut(visitor(None), at("2026-11-25T03:00:00Z")), None);
    assert_eq!(doors.shut(Visitor { place: u64::MAX, zone: None, sessions_today: 99 }, 0), None);
}

#[test]
fn hours_are_local_and_regional() {
    let doors = doors(TWO);
    // Lisbon is at UTC in winter.
    assert_eq!(opens_in(&doors, None, "2026-11-25T17:59:30Z"), Some(30));
    assert_eq!(opens_in(&doors, None, "2026-11-25T18:00:00Z"), None);
    assert_eq!(opens_in(&doors, Some("Europe/Berlin"), "2026-11-25T22:59:59Z"), None);
    assert_eq!(
        opens_in(&doors, Some("America/Lima"), "2026-11-25T23:00:00Z"),
        Some(19 * 3600),
        "the first region is for the rest"
    );
    // Shanghai is eight hours ahead; Friday is the 27th.
    let shanghai = Some("Asia/Shanghai");
    assert_eq!(opens_in(&doors, shanghai, "2026-11-25T12:00:00Z"), Some(2 * 86400));
    assert_eq!(opens_in(&doors, shanghai, "2026-11-27T12:00:00Z"), None);
    assert_eq!(opens_in(&doors, Some("Asia/Tokyo"), "2026-11-28T17:29:00Z"), None, "after midnight of Saturday");
    assert_eq!(opens_in(&doors, shanghai, "2026-11-28T17:30:00Z"), Some(6 * 86400 - 5 * 3600 - 1800));
}

#[test]
fn summer_time_moves_the_opening_with_the_clocks() {
    let lisbon = doors(TWO);
    // Summer time ends on 25 October 2026: 18:00 is 17:00 UTC the day before and 18:00 UTC that day.
    assert_eq!(opens_in(&lisbon, None, "2026-10-24T16:59:00Z"), Some(60));
    assert_eq!(opens_in(&lisbon, None, "2026-10-24T23:00:00Z"), Some(19 * 3600));
    assert_eq!(opens_in(&lisbon, None, "2026-10-25T17:30:00Z"), Some(1800));
    // Berlin leaves out 02:00 to 03:00 on 29 March 2026; a window that begins there begins when the clocks have moved.
    let night = doors(r#"regions = [{ zone = "Europe/Berlin", open = ["02:30-04:00"] }]"#);
    assert_eq!(opens_in(&night, None, "2026-03-29T00:59:00Z"), Some(31 * 60));
    assert_eq!(opens_in(&night, None, "2026-03-29T01:45:00Z"), None);
    assert_eq!(opens_in(&night, None, "2026-03-29T02:00:00Z"), Some(86400 - 5400));
    // The hour from 02:00 comes twice on 25 October; it opens at the first and stays open.
    assert_eq!(opens_in(&night, None, "2026-10-25T00:29:00Z"), Some(60));
    for open in ["2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z", "2026-10-25T02:59:00Z"] {
        assert_eq!(opens_in(&night, None, open), None, "{open}");
    }
    assert!(opens_in(&night, None, "2026-10-25T03:00:00Z").is_some());
}

#[test]
fn so_many_sessions_a_day_by_the_local_day() {
    let doors =
        doors("sessions_per_day = 3\nregions = [{ zone = \"Asia/Shanghai\", open = [\"18:00-24:00\", \"00:00-01:00\"] }]");
    let now = at("2026-11-25T15:00:00Z");
    assert_eq!(doors.day_began(None, now), at("2026-11-24T16:00:00Z"));
    let come = |sessions_today| doors.shut(Visitor { place: 0, zone: None, sessions_today }, now);
    assert_eq!(come(2), None);
    assert_eq!(come(3), Some(Shut { because: Closed::Sessions, opens_in_s: Some(3600) }));
    let late = super::tests::doors("sessions_per_day = 1\nregions = [{ zone = \"UTC\", open = [\"18:00-23:00\"] }]");
    let shut = late.shut(Visitor { place: 0, zone: None, sessions_today: 1 }, at("2026-11-25T19:00:00Z"));
    assert_eq!(shut, Some(Shut { because: Closed::Sessions, opens_in_s: Some(23 * 3600) }), "not before it opens");
}

#[test]
fn a_larger_share_puts_nobody_out() {
    let places: Vec<u64> = (0..2000).map(|id| place(&[7; 32], AccountId(Uuid::from_u128(id)))).collect();
    let admitted = |percent: f64| -> Vec<bool> {
        let doors = doors(&format!("admitted_percent = {percent:.1}"));
        let come = |place: &u64| doors.shut(Visitor { place: *place, zone: None, sessions_today: 0 }, 0).is_none();
        places.iter().map(come).collect()
    };
    let mut before = admitted(0.0);
    assert!(before.iter().all(|come| !come));
    for percent in [0.5, 10.0, 10.5, 50.0, 99.0, 100.0] {
        let now = admitted(percent);
        assert!(before.iter().zip(&now).all(|(before, now)| !before || *now), "somebody was put out at {percent}");
        let share = now.iter().filter(|come| **come).count() as f64 / 20.0;
        assert!((share - percent).abs() < 4.0, "{share} of {percent} percent");
        before = now;
    }
    assert!(before.iter().all(|come| *come));
    assert_ne!(place(&[7; 32], AccountId(Uuid::from_u128(1))), place(&[8; 32], AccountId(Uuid::from_u128(1))));
}

#[test]
fn what_cannot_be_read_is_said() {
    let read = |toml: &str| Doors::try_from(&toml::from_str::<DoorsSection>(toml).unwrap()).err();
    assert_eq!(read("admitted_percent = 101.0"), Some(DoorsError::Percent));
    assert_eq!(read("admitted_percent = nan"), Some(DoorsError::Percent));
    let zone = |zone: &str, open: &str| read(&format!("regions = [{{ zone = \"{zone}\", open = [\"{open}\"] }}]"));
    assert_eq!(zone("Europe/Atlantis", "18:00-20:00"), Some(DoorsError::Zone("Europe/Atlantis".into())));
    for bad in
        ["", "18-20", "18:00", "18:00-18:00", "25:00-26:00", "24:00-02:00", "18:60-19:00", "day 18:00-20:00", "fri 8:00-9:00"]
    {
        assert_eq!(zone("UTC", bad), Some(DoorsError::Window(bad.into())), "{bad}");
    }
    assert_eq!(zone("UTC", "sat, sun 18:00-20:00"), Some(DoorsError::Window("sat, sun 18:00-20:00".into())));
}

proptest! {
    /// Whoever comes when they were told to finds it open, and one second before finds it shut.
    #[test]
    fn the_countdown_is_honest(now in 1_700_000_000i64..1_900_000_000, from in 0u16..1440, length in 1u16..1439, day in 0usize..7) {
        let to = (from + length) % 1440;
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let text = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        let open = format!("{} {}-{}", days[day], text(from), text(to));
        prop_assume!(from != to);
        for zone in ["Europe/Lisbon", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe"] {
            let doors = doors(&format!("regions = [{{ zone = \"{zone}\", open = [\"{open}\"] }}]"));
            if let Some(shut) = doors.shut(visitor(None), now) {
                let wait = i64::from(shut.opens_in_s.unwrap());
                prop_assert!(wait > 0 && wait <= 8 * 86400);
                prop_assert_eq!(doors.shut(visitor(None), now + wait), None);
                prop_assert!(doors.shut(visitor(None), now + wait - 1).is_some());
            }
        }
    }
}
