//! What a pool is compared with: a no-op and a JSON parse as napi-rs's own `AsyncTask`, run by libuv's threads.

use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi::{Env, Error, Result, Status, Task};
use napi_derive::napi;
use serde_json::Value;

pub struct Noop;

impl Task for Noop {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        Ok(())
    }

    fn resolve(&mut self, _env: Env, (): ()) -> Result<()> {
        Ok(())
    }
}

/// A promise that is resolved by way of one of libuv's threads.
#[napi]
pub fn noop() -> AsyncTask<Noop> {
    AsyncTask::new(Noop)
}

pub struct Parse {
    json: Vec<u8>,
}

impl Task for Parse {
    type Output = u32;
    type JsValue = u32;

    fn compute(&mut self) -> Result<u32> {
        let value: Value = serde_json::from_slice(&self.json)
            .map_err(|error| Error::new(Status::InvalidArg, error.to_string()))?;
        Ok(count(&value))
    }

    fn resolve(&mut self, _env: Env, nodes: u32) -> Result<u32> {
        Ok(nodes)
    }
}

/// Parses on one of libuv's threads and gives the number of nodes: no value is built in JavaScript, so that a
/// measurement of who waits for these threads sees them and nothing else.
#[napi]
pub fn parse(json: Buffer) -> AsyncTask<Parse> {
    AsyncTask::new(Parse { json: json.to_vec() })
}

fn count(value: &Value) -> u32 {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}
