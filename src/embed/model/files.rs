//! Which files of a folder are a model.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Why;

/// A model's files.
///
/// | | weights | tokenizer |
/// |---|---|---|
/// | Model2Vec | `model.safetensors` | `tokenizer.json` |
/// | WordLlama | the only `*.safetensors`, there or in `weights/` | the only `*_tokenizer_config.json`, there or in `tokenizers/` |
#[derive(Debug)]
pub struct Files {
    pub weights: PathBuf,
    pub tokenizer: PathBuf,
}

impl Files {
    pub fn find(folder: &Path) -> Result<Self, Why> {
        match fs::metadata(folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err("it is no folder".to_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err("there is no such folder".to_owned());
            }
            Err(error) => return Err(error.to_string()),
        }
        Ok(Self {
            weights: find(folder, "model.safetensors", "weights", ".safetensors")?,
            tokenizer: find(folder, "tokenizer.json", "tokenizers", "_tokenizer_config.json")?,
        })
    }
}

/// The file of this name, or else the only one that ends so, in the folder or else in one below it.
fn find(folder: &Path, name: &str, below: &str, ending: &str) -> Result<PathBuf, Why> {
    let named = folder.join(name);
    if named.is_file() {
        return Ok(named);
    }
    for folder in [folder.to_owned(), folder.join(below)] {
        let mut found = ending_in(&folder, ending);
        match found.len() {
            0 => {}
            1 => return Ok(found.remove(0)),
            several => return Err(format!("{several} files in {} end in {ending}", folder.display())),
        }
    }
    Err(format!("there is no {name} in it"))
}

fn ending_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_file() && path.to_string_lossy().ends_with(ending)).collect()
}
