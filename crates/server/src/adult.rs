//! Is this person a verified adult? Decided from the issuer's claims and today's date; pure.
//!
//! Accepted, each by itself:
//! - `verified_claims` of OpenID Connect for Identity Assurance with a `trust_framework`, whose claims hold a `birthdate` or an
//!   `age_over_18`;
//! - a top-level boolean `age_over_18` (issuers that verify give it; it cannot be typed in by the user);
//! - a plain `birthdate`, but only of an issuer that the operator's configuration says to verify birthdates, for most let their
//!   users type it in.
//!
//! Any accepted claim that says "under 18" outweighs all others.

use serde_json::Value;
use visavis_wire::people::Sign;

pub const ADULT_YEARS: i64 = 18;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    pub year: i64,
    pub month: u8,
    pub day: u8,
}

/// The claims this decision looks at.
#[derive(Clone, Debug, Default)]
pub struct Evidence<'a> {
    pub age_over_18: Option<bool>,
    pub birthdate: Option<&'a str>,
    /// From the issuer's entry in the configuration.
    pub birthdate_is_verified: bool,
    /// OpenID Connect for Identity Assurance: an object or a list of them.
    pub verified_claims: Option<&'a Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adult {
    pub how: &'static str,
    pub age: Option<u8>,
    pub sign: Option<Sign>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdult {
    #[error("under 18")]
    UnderAge,
    #[error("no verified claim about the age")]
    NotVerified,
}

enum Claim {
    Over18(bool),
    Born(Birth),
}

enum Birth {
    Day(Date),
    /// Some issuers give the year alone.
    Year(i64),
}

pub fn adult(evidence: &Evidence<'_>, today: Date) -> Result<Adult, NotAdult> {
    let claims = accepted(evidence);
    if claims.iter().any(|(_, claim)| !claim.says_adult(today)) {
        return Err(NotAdult::UnderAge);
    }
    let how = claims.first().map(|(how, _)| *how).ok_or(NotAdult::NotVerified)?;
    let born = claims.iter().find_map(|(_, claim)| match claim {
        Claim::Born(Birth::Day(date)) => Some(*date),
        _ => None,
    });
    Ok(Adult { how, age: born.and_then(|date| u8::try_from(age(date, today)).ok()), sign: born.map(sign) })
}

fn accepted(evidence: &Evidence<'_>) -> Vec<(&'static str, Claim)> {
    let mut found = Vec::new();
    let verified = match evidence.verified_claims {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    for entry in verified {
        let framework = entry.pointer("/verification/trust_framework").and_then(Value::as_str);
        if framework.is_none_or(str::is_empty) {
            continue;
        }
        if let Some(birth) = entry.pointer("/claims/birthdate").and_then(Value::as_str).and_then(birth) {
            found.push(("verified_claims.birthdate", Claim::Born(birth)));
        }
        if let Some(over) = entry.pointer("/claims/age_over_18").and_then(Value::as_bool) {
            found.push(("verified_claims.age_over_18", Claim::Over18(over)));
        }
    }
    if let Some(over) = evidence.age_over_18 {
        found.push(("age_over_18", Claim::Over18(over)));
    }
    if evidence.birthdate_is_verified
        && let Some(birth) = evidence.birthdate.and_then(birth)
    {
        found.push(("birthdate", Claim::Born(birth)));
    }
    found
}

impl Claim {
    fn says_adult(&self, today: Date) -> bool {
        match self {
            Self::Over18(over) => *over,
            Self::Born(Birth::Day(date)) => age(*date, today) >= ADULT_YEARS,
            // The birthday may still be to come this year.
            Self::Born(Birth::Year(year)) => today.year - year > ADULT_YEARS,
        }
    }
}

/// OpenID Connect Core section 5.1: `YYYY-MM-DD`, `YYYY`, or `0000-MM-DD` where the year is kept back (which proves nothing).
fn birth(text: &str) -> Option<Birth> {
    let digits = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<i64>().ok()).flatten()
    };
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4).filter(|year| *year > 0)?;
    let Some(month) = parts.next() else { return Some(Birth::Year(year)) };
    let month = digits(month, 2).filter(|month| (1..=12).contains(month))?;
    let day = digits(parts.next()?, 2).filter(|day| (1..=31).contains(day))?;
    if parts.next().is_some() {
        return None;
    }
    Some(Birth::Day(Date { year, month: u8::try_from(month).ok()?, day: u8::try_from(day).ok()? }))
}

/// Whole years. Somebody born on 29 February has a birthday on 1 March in other years.
fn age(born: Date, today: Date) -> i64 {
    let had_birthday = (today.month, today.day) >= (born.month, born.day);
    today.year - born.year - i64::from(!had_birthday)
}

fn sign(born: Date) -> Sign {
    // The last day of each sign, by month.
    const TURN: [(u8, Sign, Sign); 12] = [
        (19, Sign::Capricorn, Sign::Aquarius),
        (18, Sign::Aquarius, Sign::Pisces),
        (20, Sign::Pisces, Sign::Aries),
        (19, Sign::Aries, Sign::Taurus),
        (20, Sign::Taurus, Sign::Gemini),
        (20, Sign::Gemini, Sign::Cancer),
        (22, Sign::Cancer, Sign::Leo),
        (22, Sign::Leo, Sign::Virgo),
        (22, Sign::Virgo, Sign::Libra),
        (22, Sign::Libra, Sign::Scorpio),
        (21, Sign::Scorpio, Sign::Sagittarius),
        (21, Sign::Sagittarius, Sign::Capricorn),
    ];
    let (last, before, after) = TURN[usize::from(born.month.clamp(1, 12)) - 1];
    if born.day <= last { before } else { after }
}

/// The date in UTC.
pub fn date_of(unix_seconds: i64) -> Date {
    // Days to a date of the Gregorian calendar, counting years from 1 March so that a leap day is the last of its year.
    let days = unix_seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date { year, month: u8::try_from(month).unwrap_or(1), day: u8::try_from(day).unwrap_or(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TODAY: Date = Date { year: 2026, month: 6, day: 15 };

    fn born(text: &str) -> Result<Adult, NotAdult> {
        adult(&Evidence { birthdate: Some(text), birthdate_is_verified: true, ..Evidence::default() }, TODAY)
    }

    #[test]
    fn the_eighteenth_birthday_decides() {
        assert_eq!(born("2008-06-15"), Ok(Adult { how: "birthdate", age: Some(18), sign: Some(Sign::Gemini) }));
        assert_eq!(born("2008-06-16"), Err(NotAdult::UnderAge));
        assert_eq!(born("2007").map(|adult| adult.age), Ok(None));
        assert_eq!(born("2008"), Err(NotAdult::UnderAge), "the birthday may be to come");
        assert_eq!(born("2030-01-01"), Err(NotAdult::UnderAge));
        for nothing in ["", "0000-06-15", "1990-13-01", "1990-1-1", "1990-01-01x", "1990-01-01-01", "nineteen"] {
            assert_eq!(born(nothing), Err(NotAdult::NotVerified), "{nothing}");
        }
    }

    #[test]
    fn a_plain_birthdate_counts_only_where_it_is_verified() {
        let evidence = Evidence { birthdate: Some("1990-01-01"), ..Evidence::default() };
        assert_eq!(adult(&evidence, TODAY), Err(NotAdult::NotVerified));
    }

    #[test]
    fn a_claim_of_under_18_outweighs_the_others() {
        let evidence = Evidence {
            age_over_18: Some(true),
            birthdate: Some("2015-01-01"),
            birthdate_is_verified: true,
            verified_claims: None,
        };
        assert_eq!(adult(&evidence, TODAY), Err(NotAdult::UnderAge));
        assert_eq!(adult(&Evidence { age_over_18: Some(false), ..Evidence::default() }, TODAY), Err(NotAdult::UnderAge));
        assert!(adult(&Evidence { age_over_18: Some(true), ..Evidence::default() }, TODAY).is_ok());
    }

    #[test]
    fn identity_assurance_needs_a_trust_framework() {
        let check = |value: Value| adult(&Evidence { verified_claims: Some(&value), ..Evidence::default() }, TODAY);
        let claims = json!({"verification": {"trust_framework": "eidas"}, "claims": {"birthdate": "1990-07-23"}});
        assert_eq!(check(claims.clone()), Ok(Adult { how: "verified_claims.birthdate", age: Some(35), sign: Some(Sign::Leo) }));
        assert!(check(json!([{"claims": {}}, claims])).is_ok());
        let over = json!({"verification": {"trust_framework": "de_aml"}, "claims": {"age_over_18": true}});
        assert_eq!(check(over).map(|adult| adult.how), Ok("verified_claims.age_over_18"));
        assert_eq!(check(json!({"claims": {"birthdate": "1990-07-23"}})), Err(NotAdult::NotVerified));
        assert_eq!(check(json!("x")), Err(NotAdult::NotVerified));
    }

    #[test]
    fn dates() {
        assert_eq!(date_of(0), Date { year: 1970, month: 1, day: 1 });
        assert_eq!(date_of(951_782_400), Date { year: 2000, month: 2, day: 29 });
        assert_eq!(date_of(1_795_435_000), Date { year: 2026, month: 11, day: 23 });
        assert_eq!(date_of(-86_400), Date { year: 1969, month: 12, day: 31 });
    }
}
