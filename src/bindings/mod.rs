//! The only module that knows napi: converts, submits, settles.
