//! JSON: scanning, tape, printing.
