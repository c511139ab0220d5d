//! The values in the rows. All are valid; many break clients that are careless with text or numbers.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A text as it is written between the quotes of JSON, and its meaning.
#[derive(Debug)]
pub(crate) struct Spelling {
    json: &'static str,
    plain: &'static str,
}

const fn plain_text(text: &'static str) -> Spelling {
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
    plain_text("Ana Sofía Lourenço"),
    Spelling {
        json: r"Ren\u00e9e Dupont-Lef\u00e8vre",
        plain: "Renée Dupont-Lefèvre",
    },
    plain_text("Müller, Jürgen"),
    Spelling {
        json: r"\u674e \u5c0f\u9f99",
        plain: "李 小龙",
    },
    plain_text("Nguyễn Thị Minh Khai"),
    Spelling {
        json: r"Back\\slash \/ Team",
        plain: r"Back\slash / Team",
    },
    Spelling {
        json: r"Smile \ud83d\ude00 Desk",
        plain: "Smile 😀 Desk",
    },
    plain_text("Søren Ærøskøbing"),
    plain_text("Олександра Шевченко"),
    plain_text("=SUM(A1:A9)"),
    plain_text("Jane {curly} [square]: \u{1F680}"),
];

const PLACES: &[Spelling] = &[
    plain_text("Billing, EU"),
    plain_text("Technical Support"),
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
    plain_text("Außendienst"),
    plain_text("returns;refunds"),
];

const STATUSES: &[&str] = &["available", "onbreak", "busy", "unavailable", "loggedout"];
const MEDIA: &[&str] = &["voice", "chat", "email", "sms", "voicemail"];
const DIRECTIONS: &[&str] = &["inbound", "outbound"];

/// How a dimension turns a number into text; different numbers give different texts, except for empty ones.
#[derive(Debug, Clone)]
pub(crate) enum Text {
    Id {
        prefix: String,
    },
    /// A name from a list, followed by the number.
    Name {
        list: &'static [Spelling],
        may_be_empty: bool,
    },
    /// A word from a list, followed by the number when the list has run out.
    Word {
        list: &'static [&'static str],
    },
    /// A time in the window, followed by a number when the times have run out.
    Time {
        format: &'static str,
        step: i64,
        count: u64,
    },
}

impl Text {
    /// The text of a column; a `key` column is never empty.
    pub(crate) fn for_column(column: &str, seed: u64, key: bool) -> Self {
        let column = &*canonical_name(column);
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
                    entity_name(column),
                    mix_bits(seed, hash_bytes(entity_name(column).as_bytes())) >> 32
                ),
            },
        }
    }

    pub(crate) fn write_json(&self, number: u64, start: Timestamp, out: &mut Vec<u8>) {
        out.push(b'"');
        self.write_text(number, start, |spelling| spelling.json, out);
        out.push(b'"');
    }

    pub(crate) fn write_csv(&self, number: u64, start: Timestamp, out: &mut Vec<u8>) {
        let begin = out.len();
        self.write_text(number, start, |spelling| spelling.plain, out);
        quote_field(begin, out);
    }

    fn write_text(
        &self,
        number: u64,
        start: Timestamp,
        pick: impl Fn(&Spelling) -> &'static str,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Id { prefix } => {
                out.extend_from_slice(prefix.as_bytes());
                write_padded(number, out);
            }
            Self::Name {
                may_be_empty: true, ..
            } if number % 61 == 60 => {}
            Self::Name { list, .. } => {
                out.extend_from_slice(pick(pick_from(list, number)).as_bytes());
                out.push(b' ');
                write_padded(number, out);
            }
            Self::Word { list } => {
                out.extend_from_slice(pick_from(list, number).as_bytes());
                write_round(number / list.len() as u64, out);
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
                write_round(number / count, out);
            }
        }
    }
}

/// The name of a column as the guide spells it: `Agent ID` is `agentId`.
pub(crate) fn canonical_name(column: &str) -> Cow<'_, str> {
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

/// The entity of a column: `agentId` and `agentName` both name the agent.
pub(crate) fn entity_name(column: &str) -> &str {
    column
        .strip_suffix("Id")
        .or_else(|| column.strip_suffix("Name"))
        .unwrap_or(column)
}

/// Whether a column is a time in the window, which does not make a row unique.
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
pub(crate) fn write_number(bits: u64, decimal: bool, out: &mut Vec<u8>) -> bool {
    match bits % 256 {
        0 => return false,
        // Above 2^53, and for some of them above 2^63: no float and no signed integer holds it.
        1 => write_digits((1 << 53) + 1 + (bits >> 1), out),
        2 => out.extend_from_slice(b"-0"),
        3 => out.extend_from_slice(b"1.50E+3"),
        _ if decimal => {
            write_digits(bits >> 32 & 0x3ff, out);
            out.push(b'.');
            let cents = (bits >> 16) % 100;
            out.extend_from_slice(&[ascii_digit(cents / 10), ascii_digit(cents % 10)]);
        }
        _ => write_digits((bits >> 24) % 86_400, out),
    }
    true
}

/// Mixes two numbers into one (`SplitMix64`).
pub(crate) fn mix_bits(left: u64, right: u64) -> u64 {
    let mut bits = left
        ^ right
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

/// A number for a text, the same in every build (FNV-1a).
pub(crate) fn hash_bytes(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn pick_from<T>(list: &'static [T], number: u64) -> &'static T {
    let at = usize::try_from(number % list.len() as u64).unwrap_or(0);
    &list[at]
}

fn write_round(round: u64, out: &mut Vec<u8>) {
    if round > 0 {
        out.push(b'-');
        write_padded(round, out);
    }
}

fn write_padded(number: u64, out: &mut Vec<u8>) {
    if number >= 1_000_000 {
        return write_digits(number, out);
    }
    let mut text = [b'0'; 6];
    let mut rest = number;
    for place in text.iter_mut().rev() {
        *place = ascii_digit(rest % 10);
        rest /= 10;
    }
    out.extend_from_slice(&text);
}

fn write_digits(mut number: u64, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = ascii_digit(number % 10);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[at..]);
}

fn ascii_digit(value: u64) -> u8 {
    b'0' + (value % 10) as u8
}

/// Quotes the field that begins at `begin` where RFC 4180 demands it, and the empty one, to tell it from a null.
fn quote_field(begin: usize, out: &mut Vec<u8>) {
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
            assert_eq!(canonical_name(name), plain, "{name}");
        }
    }

    #[test]
    fn numbers_are_json_and_some_are_too_big_for_a_float() {
        let mut big = 0;
        for at in 0..20_000 {
            let mut text = Vec::new();
            if !write_number(mix_bits(7, at), at % 2 == 0, &mut text) {
                continue;
            }
            let raw: &serde_json::value::RawValue = serde_json::from_slice(&text).unwrap();
            big += usize::from(raw.get().len() > 15);
        }
        assert!(big > 20, "{big}");
    }
}
