//! When to begin a new log file, and what the old ones are called.
//!
//! The file that is written has one name for ever. An old one gets that name with a number or a date behind it, once;
//! numbers go up and are not shifted, so a name that somebody has read stays true.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    Number,
    Date,
}

#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// Bytes that a file may have, unless a single line is longer.
    pub size: Option<u64>,
    /// Milliseconds; files end at multiples of it since 1970.
    pub interval: Option<u64>,
    /// Old files that stay.
    pub keep: usize,
    pub names: Names,
    pub gzip: bool,
}

impl Rotation {
    /// Which interval a time is in.
    pub fn period(&self, time: Duration) -> u64 {
        self.interval.map_or(0, |interval| time.as_millis() as u64 / interval.max(1))
    }
}

/// The old files of `path`, oldest first.
pub fn archived(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found: Vec<(Age, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder(path))? {
        let entry = entry?;
        if let Some(age) = entry.file_name().to_str().and_then(|name| age_of(name, path)) {
            found.push((age, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Dated names come before numbered ones, should somebody have changed from one to the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    Date(String),
    Number(u64),
}

fn age_of(name: &str, path: &Path) -> Option<Age> {
    let suffix = name.strip_prefix(path.file_name()?.to_str()?)?.strip_prefix('.')?;
    let suffix = suffix.strip_suffix(".gz").unwrap_or(suffix);
    if !suffix.is_empty() && suffix.len() < 16 && suffix.bytes().all(|byte| byte.is_ascii_digit()) {
        return suffix.parse().ok().map(Age::Number);
    }
    let digits = suffix.bytes().filter(u8::is_ascii_digit).count();
    let is_date = digits >= 17 && suffix.bytes().all(|byte| byte.is_ascii_digit() || b"-T".contains(&byte));
    is_date.then(|| Age::Date(suffix.to_owned()))
}

/// A name that no file has yet, for the file at `path` to get.
pub fn next_name(path: &Path, names: Names, now: Duration) -> io::Result<PathBuf> {
    let with = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(suffix);
        PathBuf::from(name)
    };
    match names {
        Names::Number => {
            let numbers = archived(path)?.into_iter().filter_map(|file| {
                match age_of(file.file_name()?.to_str()?, path)? {
                    Age::Number(number) => Some(number),
                    Age::Date(_) => None,
                }
            });
            Ok(with(&(numbers.max().unwrap_or(0) + 1).to_string()))
        }
        Names::Date => {
            let date = date(now);
            let taken = |suffix: &str| with(suffix).exists() || with(&format!("{suffix}.gz")).exists();
            let mut suffix = date.clone();
            for number in 1.. {
                if !taken(&suffix) {
                    break;
                }
                suffix = format!("{date}-{number:04}");
            }
            Ok(with(&suffix))
        }
    }
}

/// `2026-01-31T23-59-59-999`, UTC. Sorted as text it is sorted by time.
fn date(time: Duration) -> String {
    let (year, month, day) = civil(time.as_secs() / 86_400);
    let second = time.as_secs() % 86_400;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{:02}-{:03}",
        second % 60,
        time.subsec_millis()
    )
}

/// Year, month and day of a day since 1970, in the Gregorian calendar: years begin in March, so that the leap day is the
/// last, and months are groups of 153 days to five.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// The folder that a file is in.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds| date(Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00-00-00-000");
        assert_eq!(at(951_782_399), "2000-02-28T23-59-59-000");
        assert_eq!(at(951_782_400), "2000-02-29T00-00-00-000");
        assert_eq!(at(1_709_251_199), "2024-02-29T23-59-59-000");
        assert_eq!(at(4_107_542_400), "2100-03-01T00-00-00-000");
    }

    #[test]
    fn old_files_are_those_with_a_number_or_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        let names = [
            "app.log",
            "app.log.10",
            "app.log.9.gz",
            "app.log.x",
            "app.log.5.gz.tmp",
            "app.log.7.ring",
            "other.log.1",
            "app.log.2026-01-31T23-59-59-999",
        ];
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = archived(&path).unwrap();
        let found: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(found, ["app.log.2026-01-31T23-59-59-999", "app.log.9.gz", "app.log.10"]);
        assert_eq!(
            next_name(&path, Names::Number, Duration::ZERO).unwrap(),
            folder.path().join("app.log.11")
        );
        let dated = next_name(&path, Names::Date, Duration::ZERO).unwrap();
        std::fs::write(&dated, "").unwrap();
        assert!(next_name(&path, Names::Date, Duration::ZERO).unwrap() > dated);
    }
}
