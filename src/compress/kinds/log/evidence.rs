//! Which lines of a log tell most: by severity, by how rare their template and their values are, by numbers out of the
//! ordinary, by the query.

use std::collections::HashMap;

use super::merge::{Template, Templates};
use super::mine::{Mined, Span};
use crate::cancel::CancelToken;
use crate::compress::form::{Unit, value};
use crate::compress::kinds::numbers::{self, Series};
use crate::compress::kinds::pieces::{ASKED_SHARE, TELLING_SHARE, promote};
use crate::compress::kinds::survey::{self, rarity};
use crate::compress::query::Query;
use crate::compress::signal::{self, Severity};
use crate::error::Error;

/// Templates and values that come at most so often are rare.
const RARE: u32 = 3;
/// So many lines are kept whatever the budget, as the first ones of error templates and as those that the query names.
const MOST_FIRSTS: usize = 512;
/// Lines below an error that may explain it, and errors of which those are looked at.
const EXPLANATION: usize = 3;
const MOST_EXPLAINED: usize = 64;
/// The lines of a template tell what its numbers are like from this number on.
const FEW_LINES: u32 = 48;
/// One line in so many is few.
const FEW_SHARE: usize = 16;
/// Values looked at for each column are at most so many different ones.
const MOST_DISTINCT: usize = 24;

pub(super) fn weigh(
    mined: &Mined<'_>,
    templates: &Templates,
    query: &Query,
    cancel: &CancelToken,
) -> Result<Vec<Unit>, Error> {
    let mut units: Vec<Unit> = mined
        .lines
        .iter()
        .map(|line| Unit {
            // A line of a log has a token for every three bytes or so.
            cost: (line.span.end - line.span.start) / 3 + 1,
            value: value::ORDINARY,
            must: false,
            group: templates.of_group.get(line.group as usize).map_or(0, |template| template + 1),
        })
        .collect();
    by_severity(mined, templates, &mut units);
    by_template(mined, templates, &mut units);
    cancel.check()?;
    by_values(mined, templates, &mut units, cancel)?;
    at_the_ends(&mut units);
    promote(&mut units, TELLING_SHARE);
    let found = query.matches(mined.lines.iter().map(|line| line.span.of(mined.text)));
    for (unit, found) in units.iter_mut().zip(found) {
        unit.add(found);
    }
    promote(&mut units, ASKED_SHARE);
    cancel.check()?;
    Ok(units)
}

/// Errors and warnings, the first of each template whatever the budget, and what stands beside errors.
fn by_severity(mined: &Mined<'_>, templates: &Templates, units: &mut [Unit]) {
    let mut seen: HashMap<(u32, Severity), u32> = HashMap::new();
    let mut firsts = 0;
    let mut near = Vec::new();
    let mut errors = Vec::new();
    for (index, line) in mined.lines.iter().enumerate() {
        let severity = match templates.severity_of_group.get(line.group as usize) {
            Some(severity) if !templates.varies[line.group as usize] => *severity,
            _ => signal::severity(line.span.of(mined.text)),
        };
        if severity == Severity::Ordinary {
            continue;
        }
        let worth = if severity == Severity::Warning { value::NOTABLE } else { value::ERROR };
        units[index].value += worth;
        if severity > Severity::Warning && errors.len() < MOST_EXPLAINED {
            errors.push(index);
        }
        // Lines without a template (very long ones) are known by how they begin.
        let known = templates.of_group.get(line.group as usize).copied().unwrap_or_else(|| {
            let bytes = line.span.bytes(mined.text);
            u32::MAX - (super::mine::mix(0, &bytes[..bytes.len().min(64)]) as u32 & 0xFFFF)
        });
        let count = seen.entry((known, severity)).or_default();
        *count += 1;
        if *count == 1 && firsts < MOST_FIRSTS {
            units[index].must = true;
            firsts += 1;
            if severity > Severity::Warning {
                near.push(index);
            }
        }
    }
    for index in near {
        let around = index.saturating_sub(2)..(index + 4).min(units.len());
        for unit in &mut units[around] {
            unit.value += value::CONTEXT;
        }
    }
    for index in errors {
        explain(mined, index, units);
    }
}

/// Indented lines below an error say more about it.
fn explain(mined: &Mined<'_>, error: usize, units: &mut [Unit]) {
    for index in error + 1..(error + 1 + EXPLANATION).min(units.len()) {
        if !mined.lines[index].span.of(mined.text).starts_with([' ', '\t']) {
            return;
        }
        units[index].value += value::RARE * 0.8;
    }
}

/// Rare templates, and the first and last line of each.
fn by_template(mined: &Mined<'_>, templates: &Templates, units: &mut [Unit]) {
    let first = |template: &Template| mined.lines[template.first as usize].span.of(mined.text);
    // Templates that differ in their words may be of one kind all the same.
    let rarity = rarity(templates.list.iter().map(|template| (first(template), template.count)));
    // A template of its own may be rare even so, where few are: a name that no other line has in its place.
    let few: u32 = templates.list.iter().map(|template| template.count).filter(|count| *count <= RARE).sum();
    let otherwise = if few as usize * FEW_SHARE <= units.len() { value::RARE * 0.8 } else { value::CONTEXT };
    let worth = |template: u32| match rarity.get(template as usize) {
        Some(worth) if *worth > 0.0 => *worth,
        _ if templates.list[template as usize].count <= RARE => otherwise,
        _ => value::CONTEXT,
    };
    for (id, template) in templates.list.iter().enumerate() {
        let worth = worth(id as u32);
        units[template.first as usize].value += worth;
        if template.count > 1 {
            units[template.last as usize].value += worth * 0.8;
        }
    }
    // The second of three.
    for unit in units {
        if unit.group > 0
            && templates.list[unit.group as usize - 1].count == RARE
            && unit.value < value::CONTEXT
        {
            unit.value += worth(unit.group - 1) * 0.8;
        }
    }
}

fn at_the_ends(units: &mut [Unit]) {
    let length = units.len();
    for unit in &mut units[..length.min(3)] {
        unit.value += value::CONTEXT;
    }
    for unit in &mut units[length.saturating_sub(5)..] {
        unit.value += value::CONTEXT;
    }
}

/// The lines of each template, in order.
struct ByTemplate {
    lines: Vec<u32>,
    from: Vec<u32>,
}

impl ByTemplate {
    fn new(mined: &Mined<'_>, templates: &Templates) -> Self {
        let mut from = Vec::with_capacity(templates.list.len() + 1);
        let mut total = 0;
        for template in &templates.list {
            from.push(total);
            total += template.count;
        }
        from.push(total);
        let mut next = from.clone();
        let mut lines = vec![0; total as usize];
        for (index, line) in mined.lines.iter().enumerate() {
            if let Some(template) = templates.of_group.get(line.group as usize) {
                let at = &mut next[*template as usize];
                lines[*at as usize] = index as u32;
                *at += 1;
            }
        }
        Self { lines, from }
    }

    fn of(&self, template: usize) -> &[u32] {
        &self.lines[self.from[template] as usize..self.from[template + 1] as usize]
    }
}

/// Numbers out of the ordinary, changes of level, rare values, and bad status codes.
fn by_values(
    mined: &Mined<'_>,
    templates: &Templates,
    units: &mut [Unit],
    cancel: &CancelToken,
) -> Result<(), Error> {
    let grouped = ByTemplate::new(mined, templates);
    let mut columns: Vec<Vec<Span>> = Vec::new();
    for (id, template) in templates.list.iter().enumerate() {
        let lines = grouped.of(id);
        if template.width == 0 || lines.len() < 8 {
            continue;
        }
        cancel.check()?;
        columns.resize_with(columns.len().max(template.width as usize), Vec::new);
        for column in &mut columns {
            column.clear();
        }
        for line in lines {
            if let Some((_, values)) = templates.values(mined, *line as usize) {
                for (column, value) in columns.iter_mut().zip(values) {
                    column.push(value);
                }
            }
        }
        let first = &mined.lines[template.first as usize];
        for (column, hole) in columns.iter().zip(templates.holes_of(template)) {
            if first.stamp != super::NO_STAMP && *hole == mined.value(first, first.stamp as usize) {
                continue;
            }
            let before = Span { start: first.span.start, end: hole.start }.of(mined.text);
            weigh_column(mined.text, before, lines, column, units);
        }
    }
    by_context(mined, templates, units);
    Ok(())
}

/// Numbers in templates of too few lines to tell what is ordinary: compared with those that stand between the same words.
fn by_context(mined: &Mined<'_>, templates: &Templates, units: &mut [Unit]) {
    let is_small = |line: &u32| {
        let group = mined.lines[*line as usize].group;
        templates
            .of_group
            .get(group as usize)
            .is_some_and(|id| templates.list[*id as usize].count < FEW_LINES)
    };
    let lines: Vec<u32> = (0..mined.lines.len() as u32).filter(is_small).collect();
    if lines.len() < FEW_LINES as usize {
        return;
    }
    let worth = survey::numbers(lines.iter().map(|line| mined.lines[*line as usize].span.of(mined.text)));
    for (line, worth) in lines.iter().zip(worth) {
        units[*line as usize].value += worth;
    }
}

fn weigh_column(text: &str, before: &str, lines: &[u32], column: &[Span], units: &mut [Unit]) {
    let parsed: Vec<Option<f64>> = column.iter().map(|span| numbers::parse(span.of(text))).collect();
    let numeric = parsed.iter().flatten().count();
    let coded = numbers::Code::named_by(before);
    if numeric * 10 >= column.len() * 9 {
        let series = Series::new(&parsed);
        for (index, worth) in series.outliers() {
            units[lines[index] as usize].value += worth;
        }
        if coded.is_none()
            && let Some(index) = series.change()
        {
            units[lines[index] as usize].value += value::RARE;
        }
    }
    if let Some(code) = coded {
        let mut seen: Vec<u64> = Vec::new();
        for (line, number) in lines.iter().zip(&parsed) {
            let Some(number) = number.filter(|number| code.is_bad(*number)) else { continue };
            let unit = &mut units[*line as usize];
            unit.value += value::ERROR;
            if seen.len() < 8 && !seen.contains(&number.to_bits()) {
                seen.push(number.to_bits());
                unit.must = true;
            }
        }
    }
    for index in rare_values(text, column) {
        units[lines[index] as usize].value += value::RARE;
    }
}

/// Where values stand that come at most [`RARE`] times in a column of few different ones.
fn rare_values(text: &str, column: &[Span]) -> Vec<usize> {
    if column.len() < 16 {
        return Vec::new();
    }
    let mut seen: Vec<(&[u8], u32, [u32; RARE as usize])> = Vec::new();
    for (index, span) in column.iter().enumerate() {
        let bytes = span.bytes(text);
        if let Some(at) = seen.iter().position(|(other, ..)| *other == bytes) {
            let (_, count, places) = &mut seen[at];
            if let Some(place) = places.get_mut(*count as usize) {
                *place = index as u32;
            }
            *count += 1;
            // What comes often is found soon.
            if at > 0 && seen[at].1 > seen[at - 1].1 {
                seen.swap(at, at - 1);
            }
        } else if seen.len() < MOST_DISTINCT {
            seen.push((bytes, 1, [index as u32; RARE as usize]));
        } else {
            return Vec::new();
        }
    }
    let rare: u32 = seen.iter().filter(|(_, count, _)| *count <= RARE).map(|(_, count, _)| count).sum();
    if rare as usize * 8 > column.len() {
        return Vec::new();
    }
    seen.iter()
        .filter(|(_, count, _)| *count <= RARE)
        .flat_map(|(_, count, places)| places[..*count as usize].iter().map(|index| *index as usize))
        .collect()
}

/// What the values of some templates were, for each hole: `3…17`, `a|b`, or `…`.
pub(super) fn ranges(mined: &Mined<'_>, templates: &Templates, described: &[u32]) -> Vec<Vec<String>> {
    let grouped = ByTemplate::new(mined, templates);
    described
        .iter()
        .map(|id| {
            let template = &templates.list[*id as usize];
            let mut columns = vec![numbers::Range::default(); template.width as usize];
            for line in grouped.of(*id as usize) {
                if let Some((_, values)) = templates.values(mined, *line as usize) {
                    for (column, value) in columns.iter_mut().zip(values) {
                        column.add(value.of(mined.text));
                    }
                }
            }
            columns.iter().map(numbers::Range::describe).collect()
        })
        .collect()
}
