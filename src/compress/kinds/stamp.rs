//! Times at the beginning of lines, as common log formats write them.

/// Where a line has its time, in bytes of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub date: Date,
    pub start: usize,
    /// Where the date ends and the hours begin.
    pub clock: usize,
    pub end: usize,
}

/// How the date before a time is written. Lines of one log have one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Date {
    None,
    /// `2024-05-01T` or `2024-05-01 `
    Iso,
    /// `2024/05/01 `
    Slashes,
    /// `24/05/01 `
    Short,
    /// `01/May/2024:`
    Common,
    /// `May  1 `
    Month,
    /// `Wed May  1 `
    Weekday,
    /// `05-01 ` of logcat
    Dashes,
    /// `0501 ` after the level's letter of klog
    Klog,
    /// `20240501-`
    Compact,
    /// `081109 203615`: six digits each
    Digits,
}

/// A time further into a line than this is part of its message.
const REACH: usize = 96;

/// The first time of a line that begins a word.
pub(super) fn find(line: &[u8]) -> Option<Stamp> {
    let head = &line[..line.len().min(REACH)];
    if let Some(stamp) = six_digits(head) {
        return Some(stamp);
    }
    let mut from = 0;
    while let Some(colon) = memchr::memchr(b':', &head[from..]) {
        let colon = from + colon;
        from = colon + 1;
        if let Some(clock) = colon.checked_sub(2)
            && is(head, clock, b"00:00:00")
            && let Some(stamp) = at(line, clock)
        {
            return Some(stamp);
        }
    }
    None
}

/// The stamp whose hours are at `clock`.
fn at(line: &[u8], clock: usize) -> Option<Stamp> {
    let mut end = clock + 8;
    if matches!(line.get(end), Some(b':'))
        && is(line, end, b":000")
        && !matches!(line.get(end + 4), Some(b':' | b'0'..=b'9'))
    {
        end += 4;
    } else if matches!(line.get(end), Some(b'.' | b',')) {
        let digits = line[end + 1..].iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
        if (1..10).contains(&digits) {
            end += 1 + digits;
        }
    }
    if matches!(line.get(end), Some(b':' | b'0'..=b'9')) {
        return None;
    }
    let dates: [(Date, &[u8]); 9] = [
        (Date::Iso, b"0000-00-00T"),
        (Date::Slashes, b"0000/00/00 "),
        (Date::Short, b"00/00/00 "),
        (Date::Common, b"00/Aaa/0000:"),
        (Date::Weekday, b"Aaa Aaa _0 "),
        (Date::Month, b"Aaa _0 "),
        (Date::Dashes, b"00-00 "),
        (Date::Klog, b"0000 "),
        (Date::Compact, b"00000000-"),
    ];
    for (date, pattern) in dates {
        let Some(start) = clock.checked_sub(pattern.len()) else { continue };
        if !is(line, start, pattern) {
            continue;
        }
        let before = start.checked_sub(1).map(|at| line[at]);
        let begins = match date {
            Date::Klog => start == 1 && matches!(before, Some(b'I' | b'W' | b'E' | b'F')),
            // A file and a line may stand before it.
            _ => before.is_none_or(|before| is_boundary(before) || before == b':'),
        };
        if begins {
            return Some(Stamp { date, start, clock, end });
        }
    }
    clock.checked_sub(1).is_none_or(|at| is_boundary(line[at])).then_some(Stamp {
        date: Date::None,
        start: clock,
        clock,
        end,
    })
}

fn six_digits(head: &[u8]) -> Option<Stamp> {
    is(head, 0, b"000000 000000 ").then_some(Stamp { date: Date::Digits, start: 0, clock: 7, end: 13 })
}

fn is_boundary(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'[' | b'(' | b'<' | b'|' | b'"' | b'\'' | b'=' | b'{')
}

/// Whether a text has a pattern at a place: `0` is a digit, `_` a digit or a space, `A` a capital, `a` a small letter, `T`
/// the T or space of ISO dates, the rest itself.
fn is(text: &[u8], at: usize, pattern: &[u8]) -> bool {
    let Some(part) = text.get(at..at + pattern.len()) else { return false };
    part.iter().zip(pattern).all(|(byte, expected)| match expected {
        b'0' => byte.is_ascii_digit(),
        b'_' => byte.is_ascii_digit() || *byte == b' ',
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        b'T' => matches!(byte, b'T' | b' '),
        _ => byte == expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_formats() {
        for (line, date, stamp, clock) in [
            ("2024-05-01T10:00:00.123Z INFO x", Date::Iso, "2024-05-01T10:00:00.123", "10:00:00.123"),
            ("2024-05-01 10:00:00,123 - root", Date::Iso, "2024-05-01 10:00:00,123", "10:00:00,123"),
            ("[2024/05/01 10:00:00] x", Date::Slashes, "2024/05/01 10:00:00", "10:00:00"),
            ("17/06/09 20:10:40 INFO x", Date::Short, "17/06/09 20:10:40", "20:10:40"),
            (
                "127.0.0.1 - - [01/May/2024:10:00:00 +0000] \"GET",
                Date::Common,
                "01/May/2024:10:00:00",
                "10:00:00",
            ),
            ("[Sun Dec 04 04:47:44 2005] [notice]", Date::Weekday, "Sun Dec 04 04:47:44", "04:47:44"),
            ("Dec  1 06:55:46 LabSZ sshd", Date::Month, "Dec  1 06:55:46", "06:55:46"),
            ("05-01 10:00:00.123  1 2 I Tag: x", Date::Dashes, "05-01 10:00:00.123", "10:00:00.123"),
            ("I0501 10:00:00.123456 12 main.go:10] x", Date::Klog, "0501 10:00:00.123456", "10:00:00.123456"),
            ("081109 203615 148 INFO x", Date::Digits, "081109 203615", "203615"),
            (
                "20171223-22:15:29:606|Step_LSC|30002312",
                Date::Compact,
                "20171223-22:15:29:606",
                "22:15:29:606",
            ),
            ("a.log:12:2024-05-01 10:00:00 x", Date::Iso, "2024-05-01 10:00:00", "10:00:00"),
            ("web-1  | 10:00:00 x", Date::None, "10:00:00", "10:00:00"),
            (
                "log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO",
                Date::Iso,
                "2017-05-16 00:00:00.008",
                "00:00:00.008",
            ),
        ] {
            let found = find(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(found.date, date, "{line}");
            assert_eq!((&line[found.start..found.end], &line[found.clock..found.end]), (stamp, clock));
        }
    }

    #[test]
    fn what_only_looks_like_a_time() {
        for line in ["", "00:11:22:33:44:55 up", "x10:00:00", "1010:00:00", "at 1:00:00", "10:00", "::::::::"]
        {
            assert_eq!(find(line.as_bytes()), None, "{line}");
        }
    }
}
