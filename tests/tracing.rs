//! Every task runs in a `tracing` span that says what it is.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use offloop::pool::{Ending, Event, Executor, Limits, Observer, Spec, Task, Work};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

type Fields = BTreeMap<&'static str, String>;

/// Spans in the order in which they were made, with their fields and whether they were entered and left.
#[derive(Default)]
struct Spans {
    made: Mutex<Vec<(Fields, u32, u32)>>,
    last: AtomicU64,
}

struct Visitor<'a>(&'a mut Fields);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

#[derive(Clone)]
struct Shared(Arc<Spans>);

impl Subscriber for Shared {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::new();
        fields.insert("name", attributes.metadata().name().to_owned());
        attributes.record(&mut Visitor(&mut fields));
        self.0.made.lock().unwrap().push((fields, 0, 0));
        Id::from_u64(self.0.last.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn enter(&self, span: &Id) {
        self.0.made.lock().unwrap()[span.into_u64() as usize - 1].1 += 1;
    }

    fn exit(&self, span: &Id) {
        self.0.made.lock().unwrap()[span.into_u64() as usize - 1].2 += 1;
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}
    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}
    fn event(&self, _event: &tracing::Event<'_>) {}
}

struct Quiet;

impl Observer for Quiet {
    fn observe(&self, _event: Event) {}
}

struct Tell(mpsc::Sender<(u128, u128, bool)>);

impl Work for Tell {
    type Output = ();
    type Error = ();
    type Side = ();

    fn run(&mut self) -> Result<(), ()> {
        std::thread::sleep(std::time::Duration::from_millis(3));
        Ok(())
    }

    fn ended(task: &Arc<Task<Self>>, _observer: &dyn Observer, _ending: Ending) {
        let course = task.course();
        let Some((Tell(sender), _)) = task.take() else { return };
        sender.send((course.run.as_micros(), course.wait.as_micros(), course.thread == Some(0))).unwrap();
    }
}

#[test]
fn every_task_runs_in_a_span() {
    let spans = Arc::new(Spans::default());
    tracing::subscriber::set_global_default(Shared(Arc::clone(&spans))).unwrap();
    let limits = Limits { size: 1, max_queue: 8, max_queue_bytes: 1000 };
    let client = Executor::new(limits).client(Arc::new(Quiet)).unwrap();
    let (sender, ended) = mpsc::channel();
    let spec = |span| {
        let mut spec = Spec::new("tell");
        (spec.bytes, spec.span) = (17, span);
        spec
    };
    assert!(client.submit(spec(42), Tell(sender.clone()), ()).is_ok());
    assert!(client.submit(spec(0), Tell(sender), ()).is_ok());
    let (run, wait, is_first_thread) = ended.recv().unwrap();
    assert!(run >= 3000 && is_first_thread, "{run} {wait}");
    let (run, wait, is_first_thread) = ended.recv().unwrap();
    assert!(run == 0 && wait >= 3000 && !is_first_thread, "nobody asked for this one's: {run} {wait}");
    let made = spans.made.lock().unwrap();
    assert_eq!(made.len(), 2);
    for ((fields, entered, left), id) in made.iter().zip(["42", "0"]) {
        assert_eq!([&fields["name"], &fields["operation"]], ["task", "\"tell\""]);
        assert_eq!([&fields["id"], &fields["bytes"]], [id, "17"]);
        assert!(fields["wait_ns"].parse::<u64>().is_ok());
        assert_eq!((entered, left), (&1, &1));
    }
}
