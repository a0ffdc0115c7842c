//! Stack traces. Units are frames, and what stands around them; frames of libraries go first.

use std::collections::HashSet;

use super::fold;
use super::log::mix;
use super::pieces::{Piece, Pieces, Strategy};
use crate::compress::form::{Unit, value};

#[derive(Debug)]
pub(super) struct Trace;

const MESSAGE: u8 = 0;
const OWN: u8 = 1;
const LIBRARY: u8 = 2;
const HEAD: u8 = 3;

/// Own frames of so many distinct traces are worth as much as they can be.
const NEAR: usize = 3;

/// How a frame begins or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// `Traceback …`, `Caused by: …`, `panic: …`
    Head,
    Frame {
        library: bool,
    },
    /// The second line of a frame.
    Rest {
        library: bool,
    },
}

/// What a line is in a stack trace, if it is one's.
pub(super) fn classify(line: &str) -> Option<Line> {
    let trimmed = line.trim();
    let bytes = trimmed.as_bytes();
    let is_indented = line.starts_with([' ', '\t']);
    match bytes.first()? {
        b'a' if trimmed.starts_with("at ") => {
            let place = &trimmed[3..];
            let is_frame = place.ends_with(')')
                || place.rsplit(':').next().is_some_and(is_number)
                || place.contains(" in ");
            let library = is_library(place);
            // What follows the name of a function in Rust's backtraces.
            let rest = !place.contains(['(', ' ']) && line.starts_with("      ");
            match (is_frame, rest) {
                (true, true) => Some(Line::Rest { library }),
                (true, false) if is_indented || place.contains('(') => Some(Line::Frame { library }),
                _ => None,
            }
        }
        b'F' if trimmed.starts_with("File \"") && trimmed.contains("\", line ") => {
            Some(Line::Frame { library: is_library(trimmed) })
        }
        b'f' if is_indented && trimmed.starts_with("from ") && trimmed.contains(":in ") => {
            Some(Line::Frame { library: is_library(trimmed) })
        }
        b'.' if trimmed.starts_with("... ")
            && (trimmed.ends_with(" more") || trimmed.contains("frames omitted")) =>
        {
            Some(Line::Frame { library: true })
        }
        b'#' if is_numbered_frame(trimmed) => Some(Line::Frame { library: is_library(trimmed) }),
        b'0'..=b'9' if is_indented => {
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let name = trimmed[digits..].strip_prefix(": ")?;
            (name.contains("::") || name.starts_with("0x") || name.starts_with('_') || name == "main")
                .then(|| Line::Frame { library: is_library(name) })
        }
        b'/' if line.starts_with('\t') && trimmed.contains(".go:") => {
            Some(Line::Rest { library: is_library(trimmed) })
        }
        b'g' if trimmed.starts_with("goroutine ") && trimmed.ends_with("]:") => Some(Line::Head),
        b'T' if trimmed.starts_with("Traceback (most recent call last)") => Some(Line::Head),
        b'C' if trimmed.starts_with("Caused by: ") => Some(Line::Head),
        b'E' if trimmed.starts_with("Exception in thread ") => Some(Line::Head),
        b't' if trimmed.starts_with("thread '") && trimmed.contains("' panicked at") => Some(Line::Head),
        b't' if trimmed.starts_with("thread '") && trimmed.contains(") panicked at") => Some(Line::Head),
        b'p' if trimmed.starts_with("panic: ") => Some(Line::Head),
        b's' if trimmed == "stack backtrace:" => Some(Line::Head),
        _ => is_exception(trimmed).then_some(Line::Head),
    }
}

/// `#1  0x… in f (…) at a.c:12` of gdb, `#0 /a.php(12): f()` of PHP.
fn is_numbered_frame(line: &str) -> bool {
    let digits = line[1..].bytes().take_while(u8::is_ascii_digit).count();
    let rest = line[1 + digits..].trim_start();
    digits > 0
        && (rest.starts_with("0x") && rest.contains(" in ")
            || rest.starts_with('/') && rest.contains("): ")
            || rest.starts_with("{main}")
            || rest.contains(") at ") && rest.contains(" ("))
}

/// `TypeError: …`, `java.io.IOException: …`, at the beginning of a line.
fn is_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let class = name.rsplit('.').next().unwrap_or_default();
    class.len() > 5
        && (class.ends_with("Error") || class.ends_with("Exception"))
        && class.as_bytes()[0].is_ascii_uppercase()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'))
        && line[name.len()..].chars().next().is_none_or(|next| next == ':')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Frames of what others wrote.
fn is_library(frame: &str) -> bool {
    const PARTS: [&str; 30] = [
        "site-packages",
        "dist-packages",
        "/lib/python",
        "\\lib\\",
        "node_modules",
        "node:",
        "internal/",
        "(<anonymous>)",
        "java.",
        "javax.",
        "jdk.",
        "sun.",
        "scala.",
        "kotlin.",
        "org.springframework.",
        "org.apache.",
        "org.eclipse.",
        "io.netty.",
        "com.sun.",
        "org.hibernate.",
        "/rustc/",
        "core::",
        "std::",
        "alloc::",
        "tokio::",
        ".cargo/registry",
        "runtime/",
        "/usr/lib/",
        "vendor/",
        "System.",
    ];
    let frame = frame.strip_prefix("async ").unwrap_or(frame);
    PARTS.iter().any(|part| {
        if part.ends_with('.') || part.ends_with("::") {
            let frame = frame.trim_start_matches('<');
            frame.starts_with(part)
        } else {
            frame.contains(part)
        }
    })
}

impl Strategy for Trace {
    const LABELS: &'static [&'static str] = &["", "frames", "library frames", ""];
    const TRANSFORMS: &'static [&'static str] = &["frames"];

    fn cut(text: &str) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut part = 0;
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.len();
            let is_frame = |piece: &Piece| matches!(piece.label, OWN | LIBRARY);
            let label = match classify(line) {
                Some(Line::Head) => HEAD,
                Some(Line::Frame { library }) => {
                    if library {
                        LIBRARY
                    } else {
                        OWN
                    }
                }
                Some(Line::Rest { library }) => {
                    match pieces.last_mut().filter(|piece| piece.end as usize == start) {
                        // Go and Rust have the place of a frame in its second line.
                        Some(piece) if piece.label != HEAD => {
                            piece.label = if library { LIBRARY } else { OWN };
                            piece.end = end as u32;
                            start = end;
                            continue;
                        }
                        _ => {
                            if library {
                                LIBRARY
                            } else {
                                OWN
                            }
                        }
                    }
                }
                // Python shows the code of a frame below it.
                None if line.starts_with("    ") && pieces.last().is_some_and(is_frame) => {
                    if let Some(piece) = pieces.last_mut() {
                        piece.end = end as u32;
                    }
                    start = end;
                    continue;
                }
                None => MESSAGE,
            };
            part += u32::from(label == HEAD);
            pieces.push(Piece { start: start as u32, end: end as u32, label, part });
            start = end;
        }
        pieces
    }

    fn write(text: &str, out: &mut String) {
        fold::write(text, out);
    }

    fn weigh(pieces: &Pieces<'_, Self>, units: &mut [Unit]) {
        let mut heads = HashSet::new();
        let mut since_head = NEAR;
        for (index, unit) in units.iter_mut().enumerate() {
            let piece = pieces.list[index];
            match piece.label {
                HEAD => {
                    unit.value += value::ERROR;
                    let text = pieces.get(index).as_bytes();
                    unit.must |= heads.len() < 64 && heads.insert(mix(3, &text[..text.len().min(120)]));
                    since_head = 0;
                }
                OWN => unit.value += value::RARE,
                LIBRARY => {}
                _ => unit.value += value::CONTEXT,
            }
            if piece.label != HEAD && since_head < NEAR {
                unit.value += value::CONTEXT;
                since_head += 1;
            }
            // One frame like another: recursion.
            if matches!(piece.label, OWN | LIBRARY) {
                unit.group = mix(4, pieces.get(index).as_bytes()) as u32;
            }
        }
        // The innermost frames of Python are the last ones, just before the exception.
        for index in 1..units.len() {
            if pieces.list[index].label == HEAD {
                for unit in &mut units[index.saturating_sub(2)..index] {
                    unit.value += value::CONTEXT;
                }
            }
        }
    }

    fn heeds_signals(label: u8) -> bool {
        matches!(label, MESSAGE | HEAD)
    }
}

#[cfg(test)]
#[allow(clippy::format_push_string, clippy::format_collect)] // texts of a few lines
mod tests {
    use super::*;

    #[test]
    fn frames_of_many_languages() {
        for (library, line) in [
            (false, "\tat com.acme.Shop.buy(Shop.java:12)"),
            (true, "\tat java.base/java.lang.Thread.run(Thread.java:829)"),
            (true, "    at org.apache.x.Y.z(Y.java:1)"),
            (false, "    at buy (/app/shop.js:12:3)"),
            (true, "    at Module._load (node:internal/modules/cjs/loader:1000:12)"),
            (true, "    at x (/app/node_modules/express/lib/router.js:12:3)"),
            (false, "  File \"/app/shop.py\", line 12, in buy"),
            (true, "  File \"/usr/lib/python3.9/site-packages/x.py\", line 12, in y"),
            (true, "  12: core::panicking::panic"),
            (false, "   3: shop::buy"),
            (false, "        from shop.rb:12:in `buy'"),
            (false, "#1  0x0000 in buy (x=1) at shop.c:12"),
            (true, "\t... 12 more"),
        ] {
            let expected = if line.contains("java.base") { true } else { library };
            assert_eq!(classify(line), Some(Line::Frame { library: expected }), "{line}");
        }
        for line in [
            "Traceback (most recent call last):",
            "Caused by: x",
            "ValueError: bad",
            "java.io.IOException",
            "panic: x",
        ] {
            assert_eq!(classify(line), Some(Line::Head), "{line}");
        }
        for line in [
            "#9 17.52 Get:1 http://a/b (x) [1 kB]",
            "#12 is (fixed)",
            "",
            "at noon",
            "look at this (it is fine)",
            "12: a list",
            "Errors are bad",
        ] {
            assert_eq!(classify(line), None, "{line}");
        }
    }

    #[test]
    fn library_frames_go_first() {
        let mut text =
            "java.lang.IllegalStateException: no stock\n\tat com.acme.Shop.buy(Shop.java:12)\n".to_owned();
        for index in 0..40 {
            text.push_str(&format!("\tat org.apache.catalina.Valve.invoke{index}(Valve.java:{index})\n"));
        }
        text.push_str(
            "Caused by: java.io.IOException: disk\n\tat com.acme.Disk.read(Disk.java:7)\n\t... 41 more\n",
        );
        let pieces = Pieces::<Trace>::new(&text).unwrap();
        let mut units = vec![Unit::default(); pieces.list.len()];
        Trace::weigh(&pieces, &mut units);
        let kept: Vec<&str> = (0..units.len())
            .filter(|index| units[*index].value >= value::RARE)
            .map(|index| pieces.get(index))
            .collect();
        assert_eq!(kept.len(), 4, "{kept:?}");
        assert!(units[0].must && units.iter().filter(|unit| unit.must).count() == 2);
    }
}
