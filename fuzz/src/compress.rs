//! Shortening texts: nothing panics or takes long, nothing is lost that is not kept elsewhere, and what claims to lose
//! nothing can be read back.

use std::time::{Duration, Instant};

use offloop::cancel::CancelToken;
use offloop::compress::inverse;
use offloop::compress::options::Options;
use offloop::compress::pipeline::{Action, Before, Outcome, Piece, Purpose, Reason, run};
use offloop::compress::store::Store;

/// What a megabyte may take without optimisation, on a busy machine: far less than what grows faster than its text.
const PER_MEGABYTE: Duration = Duration::from_secs(60);

fn outcome(text: &str, options: &Options) -> Outcome {
    let question = "which one is 17? look for \"error\" in src/a.rs";
    let piece = |text, purpose, led_by| Piece { text, purpose, message: 0, led_by };
    let pieces = [piece(question, Purpose::Count, [None; 2]), piece(text, Purpose::Result, [Some(0), None])];
    let outcomes = run(&pieces, Before::default(), options, &Store::shared(), &CancelToken::new());
    outcomes.expect("nobody cancels").pop().expect("one for each piece")
}

/// The first byte says how much is to be kept, 0 as much as is usual; the rest is the text.
///
/// # Panics
///
/// On a difference.
pub fn compress(data: &[u8]) {
    let Some((&ratio, text)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let target_ratio = (ratio > 0).then(|| f32::from(ratio) / 256.0);
    let options = Options { target_ratio, cache: false, ..Options::default() };
    let started = Instant::now();
    let outcome = outcome(&text, &options);
    let megabytes = text.len() as f64 / f64::from(1 << 20);
    assert!(
        started.elapsed() < Duration::from_secs(2) + PER_MEGABYTE.mul_f64(megabytes),
        "it takes too long"
    );
    assert!(!matches!(outcome.reason, Reason::Failed(_) | Reason::Deadline), "{:?}", outcome.reason);
    assert!(outcome.after <= outcome.before);
    match outcome.action {
        Action::Kept => assert!(outcome.text.is_none()),
        Action::Lossy => {
            let original = outcome.id.map(|id| Store::shared().get(id).expect("a store in memory"));
            assert_eq!(original.flatten().as_deref(), Some(&*text), "the original can be retrieved");
        }
        _ => assert!(outcome.text.is_some()),
    }
    let wrong = inverse::wrong_json(&text).or_else(|| inverse::wrong_log(&text));
    assert_eq!(wrong, None, "what {text} was written as");
}
