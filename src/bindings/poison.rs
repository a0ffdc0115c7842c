//! Whether a text has keys that reach for prototypes: asked at once, of chunks where they are.

use napi::bindgen_prelude::{Array, Error, Result, Status};
use napi_derive::napi;

use crate::json::poison;

/// Whether the JSON text that the `Uint8Array`s make together has the key `__proto__` or `constructor`.
#[napi(ts_args_type = "chunks: Uint8Array[]")]
pub fn has_poison(chunks: Array<'_>) -> Result<bool> {
    let texts = (0..chunks.len())
        .map(|index| chunks.get(index)?.ok_or_else(|| Error::from_status(Status::InvalidArg)))
        .collect::<Result<Vec<&[u8]>>>()?;
    Ok(poison::has_poison(&texts))
}
