//! The inverse of writing, for the tests and the fuzz targets.

use std::cmp::Ordering;

use crate::compress::kinds::stamp::{self, Date};

/// Reads a log in its short form, as the first line of it explains.
pub fn decode(written: &str) -> String {
    let Some(legend) = written.strip_prefix("[log: lines are their time (") else {
        return written.to_owned();
    };
    let (time_mark, rest) = legend.split_once(") if new, the letter of a template, its values (").unwrap();
    let (value_mark, rest) = rest.split_once("); \" is the value ").unwrap();
    let same = rest.starts_with("in the template");
    let (header, body) = rest.split_once("\n\n").unwrap();
    let templates: Vec<(&str, Vec<Piece<'_>>)> = header
        .split('\n')
        .skip(1)
        .map(|line| {
            let (letter, template) = line.split_once(' ').unwrap_or((line, ""));
            (letter, pieces(template, value_mark, time_mark))
        })
        .collect();
    let mut lines = Vec::new();
    let mut time = String::new();
    let mut clock = 0;
    let mut above: Vec<String> = Vec::new();
    let mut last: Vec<Vec<String>> = vec![Vec::new(); templates.len()];
    for line in body.split('\n') {
        if line.is_empty() {
            lines.push(String::new());
            continue;
        }
        if let Some(verbatim) = line.strip_prefix("| ") {
            lines.push(verbatim.to_owned());
            above.clear();
            continue;
        }
        let mut rest = line;
        if rest.starts_with(':') {
            let (seconds, after) = rest.split_once(' ').unwrap();
            time.truncate(clock + 5);
            time.push_str(seconds);
            rest = after;
        } else if let Some(found) = stamp::find(with_letter(line).as_bytes()).filter(|found| found.start <= 1)
        {
            let shift = with_letter(line).len() - line.len();
            let (text, date) = (&line[found.start - shift..found.end - shift], found.date);
            if date == Date::None {
                time.truncate(clock);
                time.push_str(text);
            } else {
                text.clone_into(&mut time);
                clock = found.clock - found.start;
            }
            rest = &line[found.end - shift + 1..];
        } else if rest.len() > 6 && rest.as_bytes()[..6].iter().all(u8::is_ascii_digit) {
            time.truncate(7);
            time.push_str(&rest[..6]);
            rest = &rest[7..];
        }
        let mut words = rest.split(' ');
        let letter = words.next().unwrap();
        let index =
            templates.iter().position(|(other, _)| *other == letter).unwrap_or_else(|| panic!("{line:?}"));
        let template = &templates[index].1;
        let count = template.iter().filter(|piece| matches!(piece, Piece::Value)).count();
        let before = if same { last[index].clone() } else { above.clone() };
        let values: Vec<String> = (0..count)
            .map(|at| match words.next().unwrap() {
                "\"" => before[at].clone(),
                value => value.to_owned(),
            })
            .collect();
        let times = words.next().map_or(1, |word| word.strip_prefix('x').unwrap().parse().unwrap());
        let mut text = String::new();
        let mut next = values.iter();
        for piece in template {
            text.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Value => next.next().unwrap(),
                Piece::Time => &time,
            });
        }
        above.clone_from(&values);
        last[index] = values;
        lines.extend(std::iter::repeat_n(text, times));
    }
    lines.join("\n")
}

/// Dates of klog have a letter before them, which belongs to the template.
fn with_letter(line: &str) -> String {
    let klog =
        line.len() > 13 && line.as_bytes()[..4].iter().all(u8::is_ascii_digit) && line.as_bytes()[4] == b' ';
    if klog { format!("I{line}") } else { line.to_owned() }
}

enum Piece<'a> {
    Text(&'a str),
    Value,
    Time,
}

fn pieces<'a>(template: &'a str, value_mark: &str, time_mark: &str) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while !rest.is_empty() {
        let value = rest.find(value_mark).unwrap_or(rest.len());
        let time = rest.find(time_mark).unwrap_or(rest.len());
        pieces.push(Piece::Text(&rest[..value.min(time)]));
        match value.cmp(&time) {
            Ordering::Less => {
                pieces.push(Piece::Value);
                rest = &rest[value + value_mark.len()..];
            }
            Ordering::Greater => {
                pieces.push(Piece::Time);
                rest = &rest[time + time_mark.len()..];
            }
            Ordering::Equal => break,
        }
    }
    pieces
}
