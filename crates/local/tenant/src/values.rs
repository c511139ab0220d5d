//! The values in the rows: valid throughout, and chosen to hurt whoever is careless with text or numbers.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A text as JSON writes it between the quotes, and what it means.
#[derive(Debug)]
pub(crate) struct Spelling {
    json: &'static str,
    plain: &'static str,
}

const fn same(text: &'static str) -> Spelling {
    Spelling {
        json: text,
        plain: text,
    }
}

const PEOPLE: &[Spelling] = &[
    Spelling {
        json: r#"Zoë \"Zed\" O'Brien"#,
        plain: r#"Zoë "Zed" O'Brien"#,
    },
    same("Ana Sofía Lourenço"),
    Spelling {
        json: r"Ren\u00e9e Dupont-Lef\u00e8vre",
        plain: "Renée Dupont-Lefèvre",
    },
    same("Müller, Jürgen"),
    Spelling {
        json: r"\u674e \u5c0f\u9f99",
        plain: "李 小龙",
    },
    same("Nguyễn Thị Minh Khai"),
    Spelling {
        json: r"Back\\slash \/ Team",
        plain: r"Back\slash / Team",
    },
    Spelling {
        json: r"Smile \ud83d\ude00 Desk",
        plain: "Smile 😀 Desk",
    },
    same("Søren Ærøskøbing"),
    same("Олександра Шевченко"),
    same("=SUM(A1:A9)"),
    same("Jane {curly} [square]: \u{1F680}"),
];

const PLACES: &[Spelling] = &[
    same("Billing, EU"),
    same("Technical Support"),
    Spelling {
        json: r#"\"Platinum\" Care"#,
        plain: r#""Platinum" Care"#,
    },
    Spelling {
        json: r"R\u00e9clamations",
        plain: "Réclamations",
    },
    Spelling {
        json: r"Sales\tNorth",
        plain: "Sales\tNorth",
    },
    Spelling {
        json: r"Two\nLines",
        plain: "Two\nLines",
    },
    same("Außendienst"),
    same("returns;refunds"),
];

const STATUSES: &[&str] = &["available", "onbreak", "busy", "unavailable", "loggedout"];
const MEDIA: &[&str] = &["voice", "chat", "email", "sms", "voicemail"];
const DIRECTIONS: &[&str] = &["inbound", "outbound"];

/// How a dimension turns a number into text; different numbers give different texts, but for the empty ones.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    /// `agent-3f2a9c81-000017`
    Id { prefix: String },
    /// A name from a list, followed by the number.
    Name {
        list: &'static [Spelling],
        may_be_empty: bool,
    },
    /// A word from a list, followed by the number when the list has run out.
    Word { list: &'static [&'static str] },
    /// A time in the window, followed by a number when the times have run out.
    Time {
        format: &'static str,
        step: i64,
        count: u64,
    },
}

impl Text {
    /// The text of a column; a `key` column is never empty.
    pub(crate) fn of(column: &str, seed: u64, key: bool) -> Self {
        let column = &*canonical(column);
        match column {
            "status" => Self::Word { list: STATUSES },
            "mediaType" | "channel" => Self::Word { list: MEDIA },
            "direction" => Self::Word { list: DIRECTIONS },
            "date" => Self::Time {
                format: "%Y-%m-%d",
                step: 86_400,
                count: 1,
            },
            "hour" => Self::Time {
                format: "%H",
                step: 3_600,
                count: 24,
            },
            "interval" => Self::Time {
                format: "%Y-%m-%dT%H:%M:%SZ",
                step: 900,
                count: 96,
            },
            "agentName" => Self::Name {
                list: PEOPLE,
                may_be_empty: !key,
            },
            "queueName" | "teamName" | "skillName" | "campaignName" => Self::Name {
                list: PLACES,
                may_be_empty: !key,
            },
            _ => Self::Id {
                prefix: format!(
                    "{}-{:08x}-",
                    entity(column),
                    mix(seed, hash(entity(column).as_bytes())) >> 32
                ),
            },
        }
    }

    pub(crate) fn json(&self, number: u64, start: Timestamp, out: &mut Vec<u8>) {
        out.push(b'"');
        self.write(number, start, |spelling| spelling.json, out);
        out.push(b'"');
    }

    pub(crate) fn csv(&self, number: u64, start: Timestamp, out: &mut Vec<u8>) {
        let begin = out.len();
        self.write(number, start, |spelling| spelling.plain, out);
        quote(begin, out);
    }

    fn write(
        &self,
        number: u64,
        start: Timestamp,
        pick: impl Fn(&Spelling) -> &'static str,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Id { prefix } => {
                out.extend_from_slice(prefix.as_bytes());
                padded(number, out);
            }
            Self::Name {
                may_be_empty: true, ..
            } if number % 61 == 60 => {}
            Self::Name { list, .. } => {
                out.extend_from_slice(pick(choose(list, number)).as_bytes());
                out.push(b' ');
                padded(number, out);
            }
            Self::Word { list } => {
                out.extend_from_slice(choose(list, number).as_bytes());
                distinguish(number / list.len() as u64, out);
            }
            Self::Time {
                format,
                step,
                count,
            } => {
                let steps = i64::try_from(number % count).unwrap_or(0);
                let second = start.as_second().saturating_add(steps * step);
                let time = Timestamp::from_second(second).unwrap_or(start);
                out.extend_from_slice(
                    time.to_zoned(TimeZone::UTC)
                        .strftime(format)
                        .to_string()
                        .as_bytes(),
                );
                distinguish(number / count, out);
            }
        }
    }
}

/// A column's name as the guide would spell it: `Agent ID` is `agentId`.
pub(crate) fn canonical(column: &str) -> Cow<'_, str> {
    let is_plain = column.starts_with(|first: char| first.is_ascii_lowercase())
        && column.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain {
        return Cow::Borrowed(column);
    }
    let words = column
        .split(|char: char| !char.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut name = String::with_capacity(column.len());
    for word in words {
        let (first, rest) = word.split_at(1);
        if name.is_empty() {
            name.push_str(&first.to_ascii_lowercase());
        } else {
            name.push_str(&first.to_ascii_uppercase());
        }
        name.push_str(&rest.to_ascii_lowercase());
    }
    Cow::Owned(name)
}

/// The thing a column speaks of: `agentId` and `agentName` both of the agent.
pub(crate) fn entity(column: &str) -> &str {
    column
        .strip_suffix("Id")
        .or_else(|| column.strip_suffix("Name"))
        .unwrap_or(column)
}

/// Whether a column is a point of the window, which can't tell rows apart by itself.
pub(crate) fn is_temporal(column: &str) -> bool {
    matches!(column, "date" | "hour" | "interval")
}

/// Whether a metric is written with two decimals.
pub(crate) fn is_decimal(metric: &str) -> bool {
    metric.starts_with("avg")
        || metric.ends_with("Rate")
        || matches!(
            metric,
            "occupancy" | "utilization" | "adherence" | "serviceLevel"
        )
}

/// Appends a number made of random bits, or nothing and `false` for the occasional null.
pub(crate) fn number(bits: u64, decimal: bool, out: &mut Vec<u8>) -> bool {
    match bits % 256 {
        0 => return false,
        // Above 2^53, and for some of them above 2^63: no float and no signed integer holds it.
        1 => digits((1 << 53) + 1 + (bits >> 1), out),
        2 => out.extend_from_slice(b"-0"),
        3 => out.extend_from_slice(b"1.50E+3"),
        _ if decimal => {
            digits(bits >> 32 & 0x3ff, out);
            out.push(b'.');
            let cents = (bits >> 16) % 100;
            out.extend_from_slice(&[digit(cents / 10), digit(cents % 10)]);
        }
        _ => digits((bits >> 24) % 86_400, out),
    }
    true
}

/// Two numbers to one with all bits stirred (`SplitMix64`).
pub(crate) fn mix(left: u64, right: u64) -> u64 {
    let mut bits = left
        ^ right
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// A number for a text, the same in every build (FNV-1a).
pub(crate) fn hash(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn choose<T>(list: &'static [T], number: u64) -> &'static T {
    let at = usize::try_from(number % list.len() as u64).unwrap_or(0);
    &list[at]
}

fn distinguish(round: u64, out: &mut Vec<u8>) {
    if round > 0 {
        out.push(b'-');
        padded(round, out);
    }
}

fn padded(number: u64, out: &mut Vec<u8>) {
    if number >= 1_000_000 {
        return digits(number, out);
    }
    let mut text = [b'0'; 6];
    let mut rest = number;
    for place in text.iter_mut().rev() {
        *place = digit(rest % 10);
        rest /= 10;
    }
    out.extend_from_slice(&text);
}

fn digits(mut number: u64, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = digit(number % 10);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[at..]);
}

fn digit(value: u64) -> u8 {
    b'0' + (value % 10) as u8
}

/// Quotes the field that begins at `begin` where RFC 4180 demands it, and the empty one, to tell it from a null.
fn quote(begin: usize, out: &mut Vec<u8>) {
    let field = &out[begin..];
    let plain = !field.is_empty()
        && !field
            .iter()
            .any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'));
    if plain {
        return;
    }
    let field = out.split_off(begin);
    out.push(b'"');
    for byte in field {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_means_what_its_plain_form_says() {
        for spelling in PEOPLE.iter().chain(PLACES) {
            let decoded: String = serde_json::from_str(&format!("\"{}\"", spelling.json)).unwrap();
            assert_eq!(decoded, spelling.plain);
        }
    }

    #[test]
    fn a_column_is_known_however_it_is_written() {
        for (name, plain) in [
            ("agentId", "agentId"),
            ("Agent ID", "agentId"),
            ("Avg Handle Time", "avgHandleTime"),
            ("Start_Date", "startDate"),
            ("Date", "date"),
            (" % Occupancy ", "occupancy"),
            ("", ""),
        ] {
            assert_eq!(canonical(name), plain, "{name}");
        }
    }

    #[test]
    fn numbers_are_json_and_some_are_too_big_for_a_float() {
        let mut big = 0;
        for at in 0..20_000 {
            let mut text = Vec::new();
            if !number(mix(7, at), at % 2 == 0, &mut text) {
                continue;
            }
            let raw: &serde_json::value::RawValue = serde_json::from_slice(&text).unwrap();
            big += usize::from(raw.get().len() > 15);
        }
        assert!(big > 20, "{big}");
    }
}
