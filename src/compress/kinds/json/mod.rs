//! JSON: arrays of objects as tables, everything else in a notation without the punctuation ([`notation`]).

#[cfg(any(test, feature = "inverse"))]
pub(super) mod decode;
mod gaps;
mod layouts;
mod lexemes;
mod notation;
mod plan;
mod read;
mod texts;
mod times;
mod tree;
mod visible;
mod weigh;
mod write;

use crate::cancel::CancelToken;
use crate::compress::form::{Form, Kept, Unit};
use crate::compress::query::Query;
use crate::error::Error;
use gaps::Gaps;
pub(super) use lexemes::number_length;
use plan::Plan;
use texts::Texts;
use tree::{Kind, Tree};
use visible::Visible;
use write::Writer;

/// Rows between two looks at whether the work should stop.
const CHECK: usize = 1024;

/// Understands a text that is one JSON object or array, which may break off.
pub fn understand(text: &str, depth: usize) -> Option<Box<dyn Form + '_>> {
    if let Some(tree) = read::read(text) {
        return form(tree, depth, "");
    }
    let (tree, end) = read::read_cut(text)?;
    let rest = &text[end..];
    if is_long(rest, text) { None } else { form(tree, depth, rest) }
}

/// Understands a text of JSON values, one a line.
pub fn understand_lines(text: &str, depth: usize) -> Option<Box<dyn Form + '_>> {
    form(read::read_lines(text)?, depth, "")
}

/// Where the value ends that begins at `at`; where there is none, how far it was read.
pub fn end(text: &str, at: usize) -> Result<usize, usize> {
    read::value_end(text, at)
}

/// Whether a text is JSON, as far as its beginning shows.
pub fn begins(text: &str) -> bool {
    read::begins(text)
}

/// Whether a text is JSON that breaks off somewhere near its end.
pub fn is_cut(text: &str) -> bool {
    read::read_cut(text).is_some_and(|(_, end)| !is_long(&text[end..], text))
}

/// Whether what follows broken JSON is too much to be the rest of it.
fn is_long(rest: &str, text: &str) -> bool {
    rest.len() > 4096.max(text.len() / 8)
}

/// Whether a text is values with line breaks between them.
pub fn is_lines(text: &str) -> bool {
    read::read_lines(text).is_some()
}

fn form<'a>(tree: Tree<'a>, depth: usize, rest: &'a str) -> Option<Box<dyn Form + 'a>> {
    if !matches!(tree.node(tree.root).kind, Kind::Array | Kind::Object) {
        return None;
    }
    let mut plan = plan::plan(&tree);
    let texts = Texts::new(&tree, &mut plan, depth);
    Some(Box::new(Json { tree, plan, texts, rest }))
}

#[derive(Debug)]
struct Json<'a> {
    tree: Tree<'a>,
    plan: Plan,
    texts: Texts,
    /// What follows where the text breaks off.
    rest: &'a str,
}

impl Form for Json<'_> {
    fn transforms(&self) -> &'static [&'static str] {
        if self.plan.lists.iter().any(|list| list.shape.has_columns()) {
            &["json_table"]
        } else {
            &["json_notation"]
        }
    }

    fn len(&self) -> usize {
        self.plan.units
    }

    fn weigh(&self, query: &Query, cancel: &CancelToken) -> Result<Vec<Unit>, Error> {
        weigh::weigh(&self.tree, &self.plan, &self.texts, query, cancel)
    }

    fn write(&self, kept: Kept<'_>, out: &mut String) {
        let visible = (!kept.is_all()).then(|| Visible::new(&self.plan, &self.texts, kept));
        let gaps = visible.as_ref().map_or_else(Gaps::default, |visible| Gaps::new(&self.plan, visible));
        let Self { tree, plan, texts, .. } = self;
        Writer { tree, plan, texts, kept, visible: visible.as_ref(), gaps, out }.root();
        if !self.rest.is_empty() {
            out.push('\n');
            return out.push_str(self.rest);
        }
        // What follows this section begins on a line of its own.
        if self.tree.text.ends_with('\n') {
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode::{Value, decode};
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = String::new();
        understand(text, 0).expect("JSON").write(Kept::All, &mut out);
        out
    }

    fn check(text: &str) -> String {
        let out = written(text);
        let read = decode(&out);
        assert!(
            read.stands_for(&Value::of(text)),
            "{}",
            [text, &out].map(|text| &text[..text.floor_char_boundary(2000)]).join("\n")
        );
        out
    }

    #[test]
    fn small_values() {
        for (text, expected) in [
            ("{}", "{}"),
            ("[]", "[]"),
            (
                r#"{"id": "G72N", "zip": "10029", "name": {"first": "Ivan"}, "tags": ["a", "b c"]}"#,
                "id=G72N zip=\"10029\" name{first=Ivan}\ntags[a \"b c\"]",
            ),
            (
                r#"[{"id":1,"seats":{"economy":7},"ok":true},{"id":2,"seats":{"economy":9},"ok":true}]"#,
                "(id seats(economy) ok=true)\n1 7\n2 9",
            ),
            (r#"{"a b":1,"c=d":null,"":[],"x":{},"y":"~"}"#, "\"a b\"=1 \"c=d\"=null \"\"[]\nx{}\ny=\"~\""),
            (
                r#"{"p":{"c1":{"source":"card","id":"c1"},"g2":{"source":"gift","id":"g2"}}}"#,
                "p{(* source id=*)\nc1 card\ng2 gift}",
            ),
        ] {
            assert_eq!(check(text), expected);
        }
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value as Json;
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (-3i32..30).prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            "[ab1~+* \"=\\[{(…\n-]{0,3}".prop_map(Json::from),
            prop_oneof!["x", "y", "12", "", "true"].prop_map(Json::from),
            "2024-05-1[1-4][T ]1[0-3]:00(:[0-5]0)?(Z|…)?".prop_map(Json::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            let key = prop_oneof![4 => "[abcd]", 1 => "[a:=str~* ]{0,4}"];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                proptest::collection::vec((key.clone(), inner.clone()), 0..5)
                    .prop_map(|members| members.into_iter().collect()),
                rows(inner.clone()).prop_map(Json::from),
                (rows(inner), any::<bool>()).prop_map(|(rows, days)| {
                    let key = |index| if days { format!("2024-05-1{index}") } else { format!("k{index}") };
                    rows.into_iter().enumerate().map(|(index, row)| (key(index), row)).collect()
                }),
                times(),
            ]
        })
    }

    /// Days with times in them.
    fn times() -> impl Strategy<Value = serde_json::Value> {
        let time = ("T1[0-3]:[0-5]0(:00)?", 0usize..20);
        let null = || serde_json::Value::Null;
        proptest::collection::vec((time, any::<bool>()), 2..9).prop_map(move |times| {
            let day = |index: usize| format!("2024-05-1{index}");
            let row = |(index, ((time, other), is_map)): (usize, ((String, usize), bool))| {
                let at = format!("{}{time}", day(if other < 9 && is_map { other } else { index }));
                let made = if other == 19 { null() } else { format!("2024-05-0{other}{time}Z").into() };
                (day(index), serde_json::json!({"at": at, "made": made, "n": other}))
            };
            let rows: Vec<_> = times.into_iter().enumerate().map(row).collect();
            if rows[0].1["n"].as_u64() < Some(3) {
                rows.into_iter().map(|(_, row)| row).collect()
            } else {
                rows.into_iter().collect()
            }
        })
    }

    /// Objects that are alike.
    fn rows(
        inner: impl Strategy<Value = serde_json::Value> + Clone,
    ) -> impl Strategy<Value = Vec<serde_json::Value>> {
        let keys = proptest::sample::subsequence(vec!["id", "a", "b", "c", "d"], 1..5);
        (keys, proptest::collection::vec(inner, 4), 1usize..8, any::<u32>()).prop_map(
            |(keys, values, count, seed)| {
                (0..count)
                    .map(|row| {
                        let bits = seed.rotate_left(row as u32 * 5);
                        let present = keys.iter().enumerate().filter(|(at, _)| bits >> at & 7 != 0);
                        let value =
                            |at: usize| values[(at + (bits >> 8) as usize % 2) % values.len()].clone();
                        present.map(|(at, key)| ((*key).to_string(), value(at))).collect()
                    })
                    .collect()
            },
        )
    }

    /// Texts that are made to take long.
    #[test]
    fn hostile_texts_take_linear_time() {
        let repeat = |part: &str, count: usize| part.repeat(count);
        let numbered =
            |count: usize, part: &dyn Fn(usize) -> String| (0..count).map(part).collect::<Vec<_>>().join(",");
        let wide = format!("{{{}}}", numbered(20_000, &|at| format!("\"k{at}\":{at}")));
        let texts = [
            repeat("[", 1 << 20),
            repeat("{\"a\":", 1 << 17),
            repeat("[1,\n", 1 << 18),
            repeat("[\"\n", 1 << 18),
            repeat("{\"a\":1}\n x\n", 1 << 16),
            format!("[{}]", repeat("[],", 1 << 18).trim_end_matches(',')),
            format!("[{wide},{wide},{wide},{wide}]"),
            // Each row has a layout of its own.
            format!("[{}]", numbered(20_000, &|at| format!("{{\"k{at}\":{{\"x\":1}},\"z\":[{at}]}}"))),
            format!(
                "{{{}}}",
                numbered(20_000, &|at| format!("\"k{at}\":{{\"a\":{{\"b{}\":{at}}}}}", at % 70))
            ),
            // Columns within columns.
            format!(
                "[{}]",
                numbered(2_000, &|at| format!("{}{at}{}", repeat("{\"a\":", 60), repeat("}", 60)))
            ),
            format!(
                "[{}]",
                numbered(500, &|at| format!("{}{at}{}", repeat("[{\"a\":", 40), repeat("}]", 40)))
            ),
            format!("[{}]", numbered(3_000, &|at| format!("\"{}{at}\"", repeat("{\\\"a\\\": [1, 2", 8)))),
            format!("\"{}\"", repeat("\\u0022", 1 << 17)),
        ];
        for text in texts {
            let start = std::time::Instant::now();
            for section in crate::compress::kind::sections(&text) {
                let text = &text[section.range];
                let Some(form) = crate::compress::kind::understand(section.kind, text, 0) else { continue };
                let units = form.weigh(&Query::new("k77 \"b12\" what?"), &CancelToken::new()).unwrap();
                assert_eq!(units.len(), form.len());
                let mut out = String::new();
                form.write(Kept::All, &mut out);
                let kept: Vec<bool> = (0..units.len()).map(|unit| unit % 7 == 3).collect();
                form.write(Kept::Some(&kept), &mut out);
            }
            // An unoptimised build on a busy machine: what takes quadratic time takes minutes.
            let seconds = start.elapsed().as_secs();
            assert!(seconds < 30, "{seconds} s: {}", &text[..40]);
        }
    }

    #[test]
    fn texts_that_break_off_are_read_as_far_as_they_go() {
        let text = r#"[{"a":1,"b":"x"},{"a":2,"b":"y"},{"a":3,"b":"x"},{"a":4,"b"#;
        assert_eq!(written(text), "(a b)\n1 x\n2 y\n3 x\n,{\"a\":4,\"b");
    }

    /// A tree of values without the rows that were left out can still be written, whatever they are.
    fn check_some(text: &str, seed: u64) {
        let Some(form) = understand(text, 0) else { return };
        let units = form.weigh(&Query::new("x \"12\""), &CancelToken::new()).unwrap();
        assert_eq!(units.len(), form.len());
        let kept: Vec<bool> = (0..units.len()).map(|unit| seed >> (unit % 64) & 1 == 0).collect();
        let mut out = String::new();
        form.write(Kept::Some(&kept), &mut out);
        let (mut open, mut close) = (0, 0);
        for byte in out.bytes() {
            open += usize::from(matches!(byte, b'[' | b'{' | b'('));
            close += usize::from(matches!(byte, b']' | b'}' | b')'));
        }
        assert!(open == close || text.contains(['(', '[', '{']), "{out}");
    }

    /// Rows with days in them.
    fn nested_rows() -> String {
        let day = |row: usize, day: usize| format!("\"2024-05-{day:02}\":{{\"n\":{row}{day:02}77}}");
        let days = |row: usize| (10..30).map(|at| day(row, at)).collect::<Vec<_>>().join(",");
        let rows: Vec<String> =
            (1..20).map(|row| format!("{{\"id\":\"row{row}\",\"days\":{{{}}}}}", days(row))).collect();
        format!("{{\"ok\":true,\"rows\":[{}]}}", rows.join(","))
    }

    #[test]
    fn what_is_in_a_row_that_is_asked_for_is_worth_more() {
        let text = nested_rows();
        let form = understand(&text, 0).unwrap();
        let units = form.weigh(&Query::new("What of \"row7\"?"), &CancelToken::new()).unwrap();
        assert!(units[6].must && units.iter().filter(|unit| unit.must).count() == 1);
        for (unit, Unit { value, .. }) in units.iter().enumerate().skip(19) {
            assert_eq!(*value > 2.0, (19 + 120..19 + 140).contains(&unit), "{unit}: {value}");
        }
    }

    #[test]
    fn each_kept_row_can_be_found() {
        let text = nested_rows();
        let form = understand(&text, 0).unwrap();
        assert_eq!(form.len(), 19 + 19 * 20);
        for unit in [0, 18, 19, 200, 398] {
            let mut kept = vec![false; form.len()];
            kept[unit] = true;
            let mut out = String::new();
            form.write(Kept::Some(&kept), &mut out);
            let needle = match unit.checked_sub(19) {
                None => format!("row{} ", unit + 1),
                Some(nested) => {
                    format!("2024-05-{:02} {}{:02}77", nested % 20 + 10, nested / 20 + 1, nested % 20 + 10)
                }
            };
            assert!(out.contains(&needle), "{needle}: {out}");
            assert!(out.contains("left out"), "{out}");
            assert!(out.len() < 900, "{out}");
        }
    }

    proptest! {
        #[test]
        fn some_of_it_can_be_written(value in json(), seed in any::<u64>()) {
            check_some(&value.to_string(), seed);
        }

        #[test]
        fn what_is_written_can_be_read(value in json()) {
            let text = value.to_string();
            if value.is_array() || value.is_object() {
                check(&text);
            }
        }
    }

    fn corpus() -> Option<std::path::PathBuf> {
        let path = std::env::var_os("OFFLOOP_CORPUS").map_or_else(|| "../shared/corpus".into(), Into::into);
        let path: std::path::PathBuf = path;
        let there = path.is_dir();
        if !there {
            eprintln!("skipped: no corpus at {}", path.display());
        }
        there.then_some(path)
    }

    /// The texts in a value that are JSON themselves.
    fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) if text.starts_with(['{', '[']) => found.push(text.clone()),
            serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            serde_json::Value::Object(members) => members.values().for_each(|item| texts(item, found)),
            _ => {}
        }
    }

    #[test]
    fn the_corpus_can_be_read() {
        let Some(corpus) = corpus() else { return };
        for folder in ["json", "requests"] {
            for entry in std::fs::read_dir(corpus.join(folder)).unwrap() {
                let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
                check(&text);
                let mut found = Vec::new();
                texts(&serde_json::from_str(&text).unwrap(), &mut found);
                for text in found.iter().filter(|text| read::read(text).is_some()) {
                    check(text);
                }
            }
        }
    }
}
