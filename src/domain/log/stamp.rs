//! Times as logs write them, read without a library: some hundred thousand of them come in a second.

/// A time that was read: UTC ms, or ms as the machine's own clock shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// It named its zone.
    Utc(i64),
    /// It did not.
    Wall(i64),
}

/// A number of exactly `N` digits at `at`.
fn digits<const N: usize>(text: &[u8], at: usize) -> Option<i64> {
    let mut number = 0;
    for byte in text.get(at..at + N)? {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(number)
}

/// Days since 1970-01-01 of a day of the Gregorian calendar (Howard Hinnant's `days_from_civil`).
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// `HH:MM:SS` at `at`, in ms.
fn clock(text: &[u8], at: usize) -> Option<i64> {
    if text.get(at + 2) != Some(&b':') || text.get(at + 5) != Some(&b':') {
        return None;
    }
    let (hour, minute, second) = (
        digits::<2>(text, at)?,
        digits::<2>(text, at + 3)?,
        digits::<2>(text, at + 6)?,
    );
    (hour < 24 && minute < 60 && second <= 60)
        .then_some(((hour * 60 + minute) * 60 + second) * 1000)
}

/// `Z`, `+0800` or `+08:00` at `at`: its ms east of UTC and where it ends.
fn zone(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let sign = match text.get(at)? {
        b'Z' => return Some((0, at + 1)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits::<2>(text, at + 1)?;
    let colon = usize::from(text.get(at + 3) == Some(&b':'));
    let minutes = digits::<2>(text, at + 3 + colon)?;
    Some((sign * (hours * 60 + minutes) * 60_000, at + 5 + colon))
}

/// `2026-11-21T12:00:00.123+0800`, also with a blank for the `T`, slashes, and without fraction
/// or zone. The time and where it ends.
pub(super) fn dated(text: &[u8]) -> Option<(Stamp, usize)> {
    let dash = *text.get(4)?;
    if !matches!(dash, b'-' | b'/') || text.get(7) != Some(&dash) {
        return None;
    }
    if !matches!(text.get(10)?, b'T' | b' ') {
        return None;
    }
    let day = days(
        digits::<4>(text, 0)?,
        digits::<2>(text, 5)?,
        digits::<2>(text, 8)?,
    )?;
    let mut wall = day * 86_400_000 + clock(text, 11)?;
    let mut end = 19;
    if matches!(text.get(end), Some(b'.' | b',')) {
        let mut unit = 100;
        end += 1;
        while let Some(digit) = text
            .get(end)
            .map(|byte| byte.wrapping_sub(b'0'))
            .filter(|digit| *digit <= 9)
        {
            wall += i64::from(digit) * unit;
            unit /= 10;
            end += 1;
        }
    }
    Some(match zone(text, end) {
        Some((east, end)) => (Stamp::Utc(wall - east), end),
        None => (Stamp::Wall(wall), end),
    })
}

/// `21/Nov/2026:12:00:00 +0000`, as access logs have it; 26 bytes.
pub(super) fn access(text: &[u8]) -> Option<Stamp> {
    if text.get(2) != Some(&b'/') || text.get(6) != Some(&b'/') || text.get(11) != Some(&b':') {
        return None;
    }
    let month = match text.get(3..6)? {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    };
    let day = days(digits::<4>(text, 7)?, month, digits::<2>(text, 0)?)?;
    let (east, _) = zone(text, 21)?;
    Some(Stamp::Utc(day * 86_400_000 + clock(text, 12)? - east))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_a_calendar_library_reads_them() {
        for (text, wanted) in [
            ("2026-11-21T20:00:00.123+0800", "2026-11-21T12:00:00.123Z"),
            ("2026-11-21 20:00:00,5+08:00 x", "2026-11-21T12:00:00.500Z"),
            ("2024-02-29T23:59:59.123456789Z", "2024-02-29T23:59:59.123Z"),
            ("2000-03-01T00:00:00Z", "2000-03-01T00:00:00Z"),
            ("1999-12-31T19:30:00-0430", "2000-01-01T00:00:00Z"),
        ] {
            let wanted: jiff::Timestamp = wanted.parse().unwrap();
            let found = dated(text.as_bytes()).map(|(stamp, _)| stamp);
            assert_eq!(found, Some(Stamp::Utc(wanted.as_millisecond())), "{text}");
        }
        let noon: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let noon = noon.as_millisecond();
        assert_eq!(
            access(b"21/Nov/2026:20:00:00 +0800"),
            Some(Stamp::Utc(noon))
        );
        assert_eq!(
            dated(b"2026/11/21 12:00:00 [error]"),
            Some((Stamp::Wall(noon), 19))
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2026",
            "2026-13-01T00:00:00Z",
            "2026-11-21T25:00:00Z",
            "2026-1121T00:00:00Z",
            "x026-11-21T00:00:00Z",
        ] {
            assert_eq!(dated(text.as_bytes()), None, "{text}");
        }
        assert_eq!(access(b"21/Nox/2026:20:00:00 +0800"), None);
        assert_eq!(access(b"21/Nov/2026:20:00:00"), None);
    }
}
